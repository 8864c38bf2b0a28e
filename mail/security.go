package mail

import (
	"time"

	"portal.example/portal"
)

// security tells the owner of a log-in what happened to it, and what to do if it was
// somebody else.
func security(l *letter, m portal.Mail, zone *time.Location) {
	l.Choices = ""
	l.Button.Label = "Look at your sign-in and security"
	if at := m.Facts.At; !at.IsZero() {
		l.Facts = append(l.Facts, fact{"When", at.In(zone).Format("Mon 2 Jan 2006, 15:04"), ""})
	}
	switch m.Kind {
	case portal.NotifyNewDevice:
		l.Facts = append(l.Facts, fact{"Device", portal.Device(m.Facts.UserAgent), ""}, fact{"Address", m.Facts.Source, ""})
		l.Paragraphs = []string{"Somebody logged in as " + m.To +
			" on a device that was not used before. If it was you, there is nothing to do.",
			"If it was not you, change your password at once and end all other sessions."}
	case portal.NotifyPasswordChanged:
		l.Paragraphs = []string{"The password of " + m.To + " was changed. If it was you, there is nothing to do.",
			"If it was not you, ask for a new one where you log in, and call us."}
	case portal.NotifyFactorChanged:
		l.Paragraphs = []string{m.Facts.Text + " If it was you, there is nothing to do.",
			"If it was not you, change your password at once, and call us."}
	}
}
