// Runs before the page is painted: applies the light or dark theme that this
// browser chose, so that no page flashes in the other one. Without a choice
// the style sheets follow the system.
try {
	const theme = localStorage.getItem('theme')
	if (theme === 'light' || theme === 'dark') document.documentElement.dataset.bsTheme = theme
} catch { /* storage may be forbidden */ }
document.documentElement.classList.add('js')
