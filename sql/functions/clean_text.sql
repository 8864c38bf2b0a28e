-- A text as it is kept: composed (Unicode's NFC), without control characters
-- and marks that nobody sees, every kind of space as a space, none at its ends.
-- Line breaks are spaces too, or with p_lines stay, as chr(10). A text of which
-- nothing can be seen is ''. portal.CleanText in Go does the same; a test holds
-- them together. Nearly every text is plain ASCII, and passes the first line.
--
-- In PL/pgSQL, since triggers ask it in their WHEN: a function in SQL would be
-- copied into each condition and planned anew for every statement.
create or replace function erp.clean_text(p_text text, p_lines boolean default false) returns text
language plpgsql immutable parallel safe
as $$
declare
  cut text;
begin
  if p_text is null or p_text !~ '[^ -~]' and p_text = btrim(p_text) then
    return p_text;
  end if;
  cut := regexp_replace(normalize(p_text, NFC),
    case when p_lines then '\r\n|[\n\r\v\f\u0085\u2028\u2029]' else '[\n\r\v\f\u0085\u2028\u2029]' end, case
      when p_lines then chr(10) else ' ' end, 'g');
  cut := regexp_replace(cut, '[\t\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]', ' ', 'g');
  cut := regexp_replace(cut,
    '[\u0001-\u0009\u000B-\u001F\u007F-\u009F\u00AD\u180E\u200B\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uFFF9-\uFFFB]', '', 'g');
  cut := regexp_replace(cut, '^[ \n\u061C\u200C-\u200F]+|[ \n\u061C\u200C-\u200F]+$', '', 'g');
  -- nothing but spaces, joiners and fillers, letters by name that show nothing
  if cut ~ '^[ \n\u061C\u200C-\u200F\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u2800\u3164\uFE00-\uFE0F\uFFA0\U000E0000-\U000E0FFF]*$' then
    return '';
  end if;
  return cut;
end
$$;
grant execute on function erp.clean_text(text, boolean) to public;
