package listener

import _ "embed"

// The statements, one a file. Parameters are positional: several run on connections that
// prepare nothing.
var (
	//go:embed queries/since.sql
	sinceSQL string
	//go:embed queries/position.sql
	positionSQL string
	//go:embed queries/missed.sql
	missedSQL string
	//go:embed queries/enter.sql
	enterSQL string
	//go:embed queries/gone.sql
	goneSQL string
	//go:embed queries/want.sql
	wantSQL string
	//go:embed queries/contended.sql
	contendedSQL string
	//go:embed queries/stuck.sql
	stuckSQL string
	//go:embed queries/end.sql
	endSQL string
	//go:embed queries/ping.sql
	pingSQL string
	//go:embed queries/wal_place.sql
	walPlaceSQL string
)
