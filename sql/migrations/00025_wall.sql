-- +goose Up
-- What the wall must be, and numbers that pass over what is taken.

-- As the last portal migrate left it here: a server of the version before or after compares with this, and not with its own.

create table portal.wall (
  only_row boolean primary key default true,
  version text not null,
  manifest text not null,
  written jsonb not null default '{}',
  checked_at timestamptz not null default clock_timestamp(),
  constraint wall_only_row check (only_row)
);
comment on table portal.wall is
  'What rights, policies, functions and triggers must be here, as the portal wrote it that migrated last. Nothing of a customer is in it; only the portal''s own roles read it.';
comment on column portal.wall.version is 'SHA-256 of the manifest.';
comment on column portal.wall.manifest is 'One JSON array a line: kind, name, object, definition, and the statement that makes it where no file has it.';
comment on column portal.wall.written is 'Where this server''s version of PostgreSQL writes a definition in other words than the manifest: object to text.';
grant select on portal.wall to portal_work;

-- Numbers of ours that another program has taken are passed over, as invoices'
-- always were.
-- +goose StatementBegin
create function erp.next_no(p_series text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  no text;
  taken boolean;
begin
  loop
    case p_series
      when 'order' then
        no := 'SO-' || nextval('erp.order_no_seq');
        taken := exists (select from erp.sales_order o where o.order_no = no);
      when 'credit_memo' then
        no := 'CM-' || nextval('erp.memo_no_seq');
        taken := exists (select from erp.credit_memo m where m.memo_no = no);
      when 'payment' then
        no := 'PY-' || nextval('erp.payment_no_seq');
        taken := exists (select from erp.payment p where p.payment_no = no);
      when 'credit_request' then
        no := 'CR-' || nextval('erp.request_no_seq');
        taken := exists (select from erp.credit_request r where r.request_no = no);
    end case;
    exit when not taken;
  end loop;
  return no;
end
$$;
-- +goose StatementEnd
comment on function erp.next_no(text) is
  'The next free number of a series: order, credit_memo, payment, credit_request. One that another transaction has written and not committed cannot be seen: who meets it gets a unique violation and asks once more.';
grant execute on function erp.next_no(text) to public; -- whoever inserts without a number
alter table erp.sales_order alter column order_no set default erp.next_no('order');
alter table erp.credit_memo alter column memo_no set default erp.next_no('credit_memo');
alter table erp.payment alter column payment_no set default erp.next_no('payment');
alter table erp.credit_request alter column request_no set default erp.next_no('credit_request');

-- +goose Down
alter table erp.credit_request alter column request_no set default 'CR-' || nextval('erp.request_no_seq');
alter table erp.payment alter column payment_no set default 'PY-' || nextval('erp.payment_no_seq');
alter table erp.credit_memo alter column memo_no set default 'CM-' || nextval('erp.memo_no_seq');
alter table erp.sales_order alter column order_no set default 'SO-' || nextval('erp.order_no_seq');
drop function erp.next_no(text);
drop table portal.wall;
