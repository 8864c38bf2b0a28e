package sql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"portal.example/portal/internal/pgtest"
)

// What every object needs of a wall, read from the catalogue of a migrated
// database. Whatever is new and has none fails here, until it has one or stands
// in a list of the exceptions with its reason.
func TestEveryObjectHasItsWall(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, rule := range wallRules {
		t.Run(rule.name, func(t *testing.T) {
			rows, err := db.Pool.Query(t.Context(), rule.query)
			if err != nil {
				t.Fatal(err)
			}
			found, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatal(err)
			}
			known := exceptions(t, rule.except)
			for _, name := range found {
				if !known[name] {
					t.Errorf("%s: %s", rule.name, name)
				}
			}
			for name := range known {
				if !slices.Contains(found, name) {
					t.Errorf("%s: the exception %s is none any more: take it out", rule.name, name)
				}
			}
		})
	}
}

// exceptions reads a list: lines of names, each behind its reason.
func exceptions(t testing.TB, list string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for line := range strings.Lines(list) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		reason, names, found := strings.Cut(line, ": ")
		if !found || len(strings.Fields(reason)) < 3 {
			t.Errorf("no reason: %s", line)
		}
		for name := range strings.SplitSeq(names, "; ") {
			out[name] = true
		}
	}
	return out
}

// Each query names what lacks its wall.
var wallRules = []struct {
	name, query, except string
}{
	{
		name: "a function that acts for its owner has the search path pg_catalog, pg_temp",
		query: `select p.oid::regprocedure::text from pg_proc p where p.pronamespace in ('erp'::regnamespace,
			'portal'::regnamespace, 'river'::regnamespace, 'public'::regnamespace)
			and p.prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false)`,
	},
	{
		name: "a function that sets a search path sets that one",
		query: `select p.oid::regprocedure::text from pg_proc p where p.pronamespace in ('erp'::regnamespace,
			'portal'::regnamespace)
			and exists (select from unnest(p.proconfig) c where c like 'search_path=%'
			and c <> 'search_path=pg_catalog, pg_temp')`,
	},
	{
		name: "schemas, tables, views, sequences and functions are portal_owner's",
		query: `select p.oid::regprocedure::text from pg_proc p where p.pronamespace in ('erp'::regnamespace,
			'portal'::regnamespace, 'river'::regnamespace) and p.proowner <> 'portal_owner'::regrole
			union all select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace, 'river'::regnamespace) and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
			and c.relowner <> 'portal_owner'::regrole
			union all select n.nspname from pg_namespace n where n.nspname in ('erp', 'portal', 'river')
			and n.nspowner <> 'portal_owner'::regrole`,
	},
	{
		name: "nobody but those who are granted it runs a function",
		query: `select p.oid::regprocedure::text from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
			where p.pronamespace in ('erp'::regnamespace, 'portal'::regnamespace) and a.grantee = 0`,
		except: `
			the clock that every column default goes by: erp.now(); erp.today()
			settings of the session itself, which it may read anyway: portal.customer_id(); portal.actor(); portal.login_id(); portal.acting_by(); portal.db_role(); portal.staff_id(); erp.this_transaction()
			computes from its argument alone, in columns and checks of tables that programs write: erp.search_words(text,text); erp.barcode_key(text); erp.gtin(text); erp.plain_code(text); erp.clean_text(text,boolean)`,
	},
	{
		name: "PUBLIC has no right on a schema, table, view or sequence",
		query: `select format('%s on %s', lower(a.privilege_type), c.oid::regclass) from pg_class c, aclexplode(c.relacl) a
			where c.relnamespace in ('erp'::regnamespace, 'portal'::regnamespace, 'river'::regnamespace) and a.grantee = 0
			union all select format('%s on schema %I', lower(a.privilege_type), n.nspname) from pg_namespace n,
			aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
			where n.nspname in ('erp', 'portal', 'river') and a.grantee = 0`,
	},
	{
		name: "a trigger's function is run by its trigger alone",
		query: `select p.oid::regprocedure::text || ' by ' || coalesce(x.rolname::text, 'public') from pg_proc p,
			aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a left join pg_roles x on x.oid = a.grantee
			where p.pronamespace in ('erp'::regnamespace, 'portal'::regnamespace) and p.prorettype in ('trigger'::regtype,
			'event_trigger'::regtype) and a.grantee <> p.proowner`,
	},
	{
		name: "a table has row-level security",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace) and c.relkind in ('r', 'p') and not c.relrowsecurity`,
		except: `
			the house's own lists, the same for every customer: erp.carrier; erp.category; erp.web_access_choice; erp.web_access_switch; erp.company; erp.credit_reason; erp.credit_request_move; erp.order_move; erp.order_status; erp.route; erp.route_day; erp.route_holiday; portal.news_kind
			items are everybody's, and portal_web reads no price or cost column of them: erp.item; erp.item_picture; erp.item_uom
			one row of text that says which life of the log it is: portal.event_epoch
			closed to portal_web as a whole, which asks functions: erp.clock; erp.code_taken; erp.document_series; erp.order_review; erp.price_break; erp.return_claim; erp.stock; erp.stock_expected
			closed to portal_web as a whole, it holds who may log in: portal.invitation; portal.invited_person; portal.login; portal.login_block; portal.login_source; portal.password_reset; portal.session
			closed to portal_web as a whole, it says what staff may: portal.duty; portal.duty_of_move; portal.duty_rule; portal.user_duty; portal.held_entry
			closed to portal_web as a whole, it counts who tries to: portal.link_asked; portal.login_device; portal.login_try
			closed to portal_web as a whole, what a process that serves pages keeps of the network: portal.certificate_cache; portal.unknown_proxy
			closed to portal_web as a whole, the desk's words of Web Access: erp.web_access_choice; erp.web_access_switch
			closed to every role, only the log-in path's functions read it: portal.browser; portal.factor; portal.factor_challenge; portal.factor_failure; portal.recovery_code; portal.staff_identity; portal.sign_on
			closed to portal_web as a whole, it is the jobs' and the operators': portal.mail; portal.price_receipt; portal.proof_difference; portal.proof_run; portal.seal; portal.statement_run
			closed to portal_web as a whole, written by triggers and functions alone: portal.audit; portal.audit_chain; portal.audit_head; portal.login_failure
			closed to portal_web as a whole, the words of the audit log: portal.act_kind
			closed to portal_web as a whole, the event log is read by the hub, which knows who hears what: portal.event; portal.event_floor; portal.event_node
			closed to portal_web as a whole, the list of Web Access switches that there are: erp.web_access_switch; erp.web_access_choice
			what migrate keeps of itself: portal.installed; portal.migration; portal.wall`,
	},
	{
		name: "a table without row-level security is closed to portal_web",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace) and c.relkind in ('r', 'p') and not c.relrowsecurity
			and (has_any_column_privilege('portal_web', c.oid, 'select, insert, update, references')
			or has_table_privilege('portal_web', c.oid, 'delete, truncate, trigger'))`,
		except: `
			the house's own lists, the same for every customer: erp.carrier; erp.category; erp.company; erp.credit_reason; erp.credit_request_move; erp.order_move; erp.order_status; erp.route; erp.route_day; erp.route_holiday; portal.news_kind
			items are everybody's, and portal_web reads no price or cost column of them: erp.item; erp.item_picture; erp.item_uom
			one row of text that says which life of the log it is: portal.event_epoch`,
	},
	{
		name: "portal_web only reads what has no row-level security",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace) and c.relkind in ('r', 'p') and not c.relrowsecurity
			and (has_any_column_privilege('portal_web', c.oid, 'insert, update, references')
			or has_table_privilege('portal_web', c.oid, 'delete, truncate, trigger'))`,
	},
	{
		// forced would hold the owner as well, whose functions read for all customers
		name: "row-level security is not forced on the owner, whose functions see every row",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace) and c.relforcerowsecurity`,
	},
	{
		name: "a table with row-level security restricts portal_web to the customer of its transaction, for all commands",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace) and c.relrowsecurity and not exists (
			select from pg_policy p where p.polrelid = c.oid and not p.polpermissive and p.polcmd = '*'
				and p.polroles = array['portal_web'::regrole::oid]
			and pg_get_expr(p.polqual, p.polrelid) like '%customer_id()%')`,
		except: `
			whose rows are those of a request of the customer, which has a policy of its own: portal.sign_off_line
			whose rows are one log-in's, the one that asks: portal.mail_choice`,
	},
	{
		name: "a permissive policy is the one that is open to programs",
		query: `select format('%I on %s', p.polname, p.polrelid::regclass) from pg_policy p join pg_class c
			on c.oid = p.polrelid
			where c.relnamespace in ('erp'::regnamespace, 'portal'::regnamespace) and p.polpermissive
			and p.polname <> 'open_to_programs'`,
	},
	{
		name: "portal_web writes no table but the customer's own",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace, 'river'::regnamespace) and c.relkind in ('r', 'p', 'v')
			and (has_any_column_privilege('portal_web', c.oid, 'insert, update') or has_table_privilege('portal_web', c.oid,
			'delete, truncate'))`,
		except: `
			what people of the customer keep for themselves: portal.cart; portal.cart_line; portal.favorite; portal.item_list; portal.item_list_line; portal.entry_columns; portal.mail_choice
			what the customer asks for at set times: portal.standing_order; portal.standing_order_line
			when a piece of news was read: portal.notice; portal.notification`,
	},
	{
		name: "a view asks with the rights of who reads it, or is no way through",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace) and c.relkind in ('v', 'm')
			and not coalesce('security_invoker=true' = any (c.reloptions), false)`,
		except: `
			shows portal_web one column of stock and only of its customer's switch, behind security_barrier: portal.stocked_item
			closed to portal_web, and no customer's: erp.code_wanted
			closed to portal_web and portal_desk, no hash and no secret: portal.session_now
			closed to portal_web, for operators, without the links of mails: portal.mail_shown`,
	},
	{
		name: "a view that portal_web reads with its owner's rights is a barrier",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace) and c.relkind in ('v', 'm')
			and has_any_column_privilege('portal_web', c.oid, 'select')
			and not exists (select from unnest(c.reloptions) o where o in ('security_invoker=true', 'security_barrier=true'))`,
	},
	{
		name: "portal_web draws from no sequence",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace, 'river'::regnamespace) and case when c.relkind = 'S'
			then has_sequence_privilege('portal_web', c.oid, 'usage, select, update') end`,
	},
	{
		name: "portal_web runs nothing of the ERP's that writes",
		query: `select p.oid::regprocedure::text from pg_proc p where p.pronamespace = 'erp'::regnamespace
			and p.provolatile = 'v' and has_function_privilege('portal_web', p.oid, 'execute')`,
		except: `
			moves a counter past ids that are there, and never back: erp.pass_taken_ids(text)`,
	},
	{
		name: "nothing is granted in advance",
		query: `select format('%s for %s to %s', a.privilege_type, d.defaclobjtype, coalesce(x.rolname::text, 'public'))
			from pg_default_acl d, aclexplode(d.defaclacl) a left join pg_roles x on x.oid = a.grantee
			where a.grantee = 0 or x.rolname in ('portal_web', 'portal_desk', 'portal_work', 'portal_auth')`,
	},
	{
		name: "functions that portal_owner makes are not PUBLIC's",
		query: `select 'default privileges of portal_owner' where not exists (select from pg_default_acl d
			where d.defaclrole = 'portal_owner'::regrole and d.defaclnamespace = 0 and d.defaclobjtype = 'f'
			and not exists (select from aclexplode(d.defaclacl) a where a.grantee = 0))`,
	},
	{
		name: "the portal's roles have no attribute and no member but a higher one",
		query: `select r.rolname::text from pg_roles r where r.rolname in ('portal_owner', 'portal_web', 'portal_desk',
			'portal_work', 'portal_auth')
			and (r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolbypassrls or r.rolreplication or r.rolcanlogin)
			union all select format('%s in %s', m.member::regrole, m.roleid::regrole) from pg_auth_members m join pg_roles r
			on r.oid = m.member
			where r.rolname in ('portal_owner', 'portal_web', 'portal_desk', 'portal_work', 'portal_auth')`,
		except: `
			a log-in of before there was portal_auth may become it: portal_work in portal_auth`,
	},
	{
		name: "no role reads a password's hash",
		query: `select x.rolname::text from pg_roles x where x.rolname in ('portal_web', 'portal_desk', 'portal_work',
			'portal_auth')
			and (has_column_privilege(x.rolname, 'portal.login', 'password_hash', 'select')
			or has_table_privilege(x.rolname, 'portal.login', 'select'))`,
	},
	{
		name: "portal_auth has nothing but log-ins, sessions and the event log",
		query: `select c.oid::regclass::text from pg_class c where c.relnamespace in ('erp'::regnamespace,
			'portal'::regnamespace, 'river'::regnamespace) and c.relkind in ('r', 'p', 'v')
			and (has_any_column_privilege('portal_auth', c.oid, 'select, insert, update, references')
			or has_table_privilege('portal_auth', c.oid, 'delete, truncate, trigger'))`,
		except: `
			its certificates, the browsers that logged in, and who forwarded to it unasked: portal.certificate_cache; portal.login_device; portal.unknown_proxy
			who logs in, how often it failed, and what link was sent: portal.login; portal.login_block; portal.login_source; portal.session; portal.session_now; portal.invitation; portal.password_reset
			what open pages hear of and who listens: portal.event; portal.event_epoch; portal.event_floor; portal.event_node
			which version migrated, and what it left: portal.migration; portal.wall
			names and switches of customers, and which items they see, no figure: erp.customer; erp.web_access; erp.item`,
	},
	{
		name: "portal_auth runs only what log-ins, sessions and the event log need",
		query: `select p.oid::regprocedure::text from pg_proc p where p.pronamespace in ('erp'::regnamespace,
			'portal'::regnamespace, 'river'::regnamespace) and has_function_privilege('portal_auth', p.oid, 'execute')
			and not has_function_privilege('public', p.oid, 'execute')`,
		except: `
			compares passwords without reading hashes: portal.password_salt(bigint); portal.password_is(bigint,text)
			a try to log in, counted before its password is looked at: portal.begin_login_try(text,text,bytea); portal.end_login_try(text,text,bytea)
			the link of a forgotten password: portal.ask_password_reset(text); portal.ask_password_reset_from(text,text); portal.password_reset_of(bytea)
			how long a comparison takes, and the same password under a dearer hash: portal.highest_hash_cost(); portal.raise_hash(bigint,text,text)
			whose invitation a link is, and the log-in that it makes: portal.invitation_of(bytea); portal.accept_invitation(bytea,text)
			until when certificates are good, without their keys: portal.certificate_chains()
			opens, keeps and ends sessions: portal.open_session(bigint,bytea,bytea,bytea,text,text,text,boolean,interval); portal.session_seen(bigint); portal.end_other_sessions(bigint); portal.login_open(bigint); portal.log_out(bytea); portal.end_session(bigint,bigint)
			what the session's owner does, in the audit log: portal.record_act(bigint,text,text,text,jsonb,text)
			what a log-in has to prove itself with, of the session's own: portal.factor_state(bigint); portal.factors(bigint); portal.factor_secrets(bigint,text); portal.passkey_owner(bytea); portal.trusted_browsers(bigint); portal.forget_browser(bigint,bigint)
			proves who somebody is, once each: portal.use_app_code(bigint,bigint,bigint,boolean); portal.use_recovery_code(bigint,bytea,boolean); portal.use_passkey(bigint,bytea,jsonb,boolean); portal.confirm_by_password(bigint); portal.factor_failed(bigint); portal.begin_challenge(bytea,text,bigint,jsonb); portal.take_challenge(bytea,text,bigint); portal.app_in_setup(bigint)
			changes factors of who confirmed: portal.add_factor(bigint,text,text,bytea,bigint,bytea,jsonb,bytea); portal.remove_factor(bigint,bigint); portal.set_recovery_codes(bigint,bytea[])
			which duties a session of staff has: portal.duties(bigint)
			ways to the provider of single sign-on, and whose log-in an account there is: portal.begin_sign_on(bytea,bytea,bigint,text); portal.take_sign_on(bytea,bytea); portal.log_in_by_identity(text,text,text,boolean,text,text[],boolean,boolean,text); portal.confirm_by_identity(bigint,text,text,interval)
			what open pages hear of: portal.begin_epoch(); portal.in_catalogue(bigint,bigint[])`,
	},
	{
		name: "temporary objects are for the owner and the staff's price lists",
		query: `select coalesce(x.rolname::text, 'public') from pg_database d,
			aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a left join pg_roles x on x.oid = a.grantee
			where d.datname = current_database() and a.privilege_type in ('TEMPORARY', 'CREATE') and a.grantee <> d.datdba
			and coalesce(x.rolname, '') not in ('portal_owner', 'portal_desk')
			union all select 'create in schema public' where has_schema_privilege('portal_web', 'public', 'create')`,
	},
}
