package openid

import "time"

// Forget has a provider looked up anew, as after an hour.
func Forget(p *Provider) { p.lookedAt = time.Time{} }
