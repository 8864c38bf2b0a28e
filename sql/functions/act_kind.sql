-- The kinds of what is in the audit log: the code that portal.audit.action has, its group, how it reads behind the
-- name of who did it, what its subject is, whether the program records it itself, and how long it stays quiet.
-- A new kind is a line here; TestActKinds fails for an action that has none.
with kind (code, act_group, label, noun, by_program, quiet) as (values
  ('logged_in', 'sign_in', 'logged in', 'person', false, null::interval),
  ('login_failed', 'sign_in', 'did not log in: wrong password', 'person', false, null),
  ('logged_out', 'sign_in', 'logged out', 'person', false, null),
  ('session_ended', 'sign_in', 'ended a session', 'person', false, null),
  ('factor_proved', 'sign_in', 'proved the second factor', 'person', false, null),
  ('confirmed', 'sign_in', 'proved anew who they are', 'person', false, null),
  ('factor_wrong', 'sign_in', 'gave a wrong code', 'person', false, null),
  ('reset_asked', 'sign_in', 'was sent a link for a new password', 'person', false, null),
  ('login', 'people', 'changed the log-in', 'person', false, null),
  ('person', 'people', 'changed the log-in', 'person', false, null),
  ('factor', 'people', 'changed the second factor', 'person', false, null),
  ('login_unlocked', 'people', 'unlocked the log-in', 'person', false, null),
  ('invitation_renewed', 'people', 'sent a new invitation', 'person', false, null),
  ('duty', 'people', 'changed the duties', 'person', false, null),
  ('sessions', 'people', 'ended the sessions', 'person', false, null),
  ('web_access', 'people', 'changed Web Access', '', false, null),
  ('authorized_item', 'people', 'changed the authorized items', 'item', false, null),
  ('export', 'export', 'exported', '', true, null),
  ('paper', 'export', 'opened as PDF', '', true, interval '1 minute'),
  ('print', 'export', 'printed', '', true, interval '1 minute'),
  ('preview_begin', 'acting', 'opened a preview of the portal of', 'customer', false, null),
  ('preview_end', 'acting', 'closed the preview of the portal of', 'customer', false, null),
  ('acting_begin', 'acting', 'began to act as', 'customer', false, null),
  ('acting_end', 'acting', 'stopped acting as', 'customer', false, null),
  ('acting_order', 'acting', 'entered for the customer the order', 'order', false, null),
  ('mail_read', 'operation', 'read the mail', 'mail', true, interval '1 minute'),
  ('mail_retried', 'operation', 'had sent again the mail', 'mail', true, null),
  ('queue', 'operation', 'changed the jobs', '', true, null),
  ('proof_started', 'operation', 'started the price proof', '', true, null),
  ('proof_acknowledged', 'operation', 'acknowledged the difference of', '', false, null),
  ('statements_run', 'operation', 'ran statements', '', true, null),
  ('audit_forgotten', 'operation', 'removed old rows of this log', '', false, null),
  ('refused', 'refusal', 'was refused', '', true, interval '1 minute'),
  ('sales_order', 'order', 'changed the order', 'order', false, null),
  ('order_line', 'order', 'changed lines of the order', 'order', false, null),
  ('order_status', 'order', 'moved the order', 'order', false, null),
  ('credit_release', 'order', 'released the credit of the order', 'order', false, null),
  ('credit_warning', 'order', 'went on over credit with the order', 'order', false, null),
  ('shipment', 'order', 'changed the shipment of the order', 'order', false, null),
  ('invoice', 'money', 'wrote the invoice', 'invoice', false, null),
  ('invoice_line', 'money', 'wrote lines of the invoice', 'invoice', false, null),
  ('credit_memo', 'money', 'wrote the credit memo', '', false, null),
  ('credit_memo_line', 'money', 'wrote lines of the credit memo', '', false, null),
  ('payment', 'money', 'posted the payment', 'payment', false, null),
  ('payment_application', 'money', 'applied money to the invoice', 'invoice', false, null),
  ('credit_request', 'money', 'changed the return request', 'request', false, null),
  ('credit_request_line', 'money', 'changed lines of the return request', 'request', false, null),
  ('document_series', 'setting', 'changed the numbers of', '', false, null),
  ('price_contract', 'price', 'changed the contract for', 'item', false, null),
  ('price_group', 'price', 'changed the category price of', '', false, null),
  ('price_break', 'price', 'changed the quantity break of', 'item', false, null),
  ('price_level', 'price', 'changed the prices of', 'item', false, null),
  ('price_basis', 'price', 'changed what prices go by:', '', false, null),
  ('customer', 'setting', 'changed the customer', 'customer', false, null),
  ('ship_to', 'setting', 'changed the ship-to address', '', false, null),
  ('company', 'setting', 'changed the settings of the company', '', false, null)
), gone as (
  delete from portal.act_kind k where not exists (select from kind n where n.code = k.code)
)
insert into portal.act_kind as k (code, act_group, label, noun, by_program, quiet)
select n.code, n.act_group, n.label, n.noun, n.by_program, n.quiet from kind n
on conflict (code) do update set act_group = excluded.act_group, label = excluded.label, noun = excluded.noun,
  by_program = excluded.by_program, quiet = excluded.quiet
where (k.act_group, k.label, k.noun, k.by_program, k.quiet) is distinct from
  (excluded.act_group, excluded.label, excluded.noun, excluded.by_program, excluded.quiet);
