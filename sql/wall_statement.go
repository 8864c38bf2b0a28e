package sql

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// repair is the statement that mends a difference, and whether portal_owner runs
// it or the log-in. An empty statement: something else mends it. An error says
// why nothing does.
func (d Difference) repair() (statement string, owner bool, err error) {
	switch d.kind() {
	case "role":
		return d.repairRole(), false, nil
	case "member":
		role, member, _ := strings.Cut(d.name(), " to ")
		return "revoke " + role + " from " + member, false, nil
	case "owner":
		if d.missing() {
			return "", false, nil
		}
		return fmt.Sprintf("alter %s owner to %s", d.name(), d.must.Def), false, nil
	case "table":
		return "", false, errors.New("a migration made it, and its rows are gone: restore it from a backup")
	case "column":
		return d.repairColumn()
	case "function":
		return d.must.DDL, true, nil
	case "view":
		return "create or replace view " + d.name() + " " + d.must.Def, true, nil
	case "constraint":
		return d.repairConstraint()
	case "index":
		return fmt.Sprintf("drop index if exists %s; %s", d.name(), d.must.Def), true, nil
	case "rls":
		return d.repairRLS(), true, nil
	case "policy":
		if d.extra() {
			return "drop policy " + d.name(), true, nil
		}
		return fmt.Sprintf("drop policy if exists %s; create policy %s %s", d.name(), d.name(), d.must.Def), true, nil
	case "trigger":
		if d.is.Def == d.must.Def+" [disabled]" {
			name, table, _ := strings.Cut(d.name(), " on ")
			return fmt.Sprintf("alter table %s enable trigger %s", table, name), true, nil
		}
		return fmt.Sprintf("drop trigger if exists %s; %s", d.name(), d.must.Def), true, nil
	case "database":
		return `do $do$ begin
  execute format('revoke temporary on database %I from public, portal_web, portal_work, portal_auth',
current_database());
  execute format('grant temporary on database %I to portal_owner, portal_desk', current_database());
end $do$`, false, nil
	case "default":
		if d.name() == "schema public" {
			return "revoke create on schema public from public", false, nil
		}
		return "alter default privileges for role portal_owner revoke execute on functions from public", false, nil
	case "grant":
		if i := strings.LastIndex(d.name(), " to "); d.extra() && i >= 0 {
			return "revoke " + d.name()[:i] + " from " + d.name()[i+4:], true, nil
		}
		return "grant " + d.name(), true, nil
	}
	return "", false, errors.New("nothing is known about it")
}

func (d Difference) repairRole() string {
	var to []string
	for _, attribute := range strings.Split(d.is.Def, ", ") {
		if attribute != "" {
			to = append(to, "no"+attribute)
		}
	}
	return "alter role " + d.name() + " " + strings.Join(to, " ")
}

func (d Difference) repairColumn() (string, bool, error) {
	if d.missing() {
		return "", false, errors.New("a migration made it, and what was in it is gone: restore it from a backup")
	}
	table, column, _ := cutLast(d.name(), ".")
	var must struct {
		NotNull bool `json:"not null"`
		Default *string
	}
	if err := json.Unmarshal([]byte(d.must.Def), &must); err != nil {
		return "", false, err
	}
	var out []string
	for _, a := range aspects(d.must.Def, d.is.Def) {
		alter := fmt.Sprintf("alter table %s alter column %s ", table, column)
		switch {
		case a == "not null" && must.NotNull:
			out = append(out, alter+"set not null")
		case a == "not null":
			out = append(out, alter+"drop not null")
		case a == "default" && must.Default != nil:
			out = append(out, alter+"set default "+*must.Default)
		case a == "default":
			out = append(out, alter+"drop default")
		default:
			return "", false, fmt.Errorf("it must be: %s. Change it by hand, with what is in it", d.must.Def)
		}
	}
	return strings.Join(out, "; "), true, nil
}

// cutLast cuts at the last separator.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func (d Difference) repairConstraint() (string, bool, error) {
	table := d.object()
	name := strings.TrimPrefix(d.name(), table+".")
	if d.is.Def == d.must.Def+" [not held]" { // its triggers are PostgreSQL's own: for a superuser
		return fmt.Sprintf(`do $do$
declare
  t record;
begin
  for t in select tg.tgname, tg.tgrelid::regclass as of_table from pg_trigger tg join pg_constraint k
on k.oid = tg.tgconstraint
    where k.conname = %s and k.conrelid = %s::regclass and tg.tgenabled not in ('O', 'A')
  loop
    execute format('alter table %%s enable trigger %%I', t.of_table, t.tgname);
  end loop;
end
$do$`, literal(strings.Trim(name, `"`)), literal(table)), false, nil
	}
	statement := fmt.Sprintf("alter table %s add constraint %s %s", table, name, d.must.Def)
	if !d.missing() {
		statement = fmt.Sprintf("alter table %s drop constraint %s; %s", table, name, statement)
	}
	return statement, true, nil
}

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (d Difference) repairRLS() string {
	alter := "alter table " + d.name() + " "
	switch d.must.Def {
	case "off":
		return alter + "disable row level security; " + alter + "no force row level security"
	case "forced":
		return alter + "enable row level security; " + alter + "force row level security"
	}
	return alter + "enable row level security; " + alter + "no force row level security"
}
