// The operators' overview asks for itself every few seconds (hx-trigger), but
// not in a tab that nobody sees, and what comes is morphed in, so that focus and
// reading position stay.
(() => {
	'use strict'
	const region = () => document.getElementById('ops-now')

	document.addEventListener('htmx:beforeRequest', (e) => {
		if (e.target === region() && document.hidden) e.preventDefault()
	})
	document.addEventListener('htmx:afterRequest', (e) => {
		const at = region()
		if (e.target !== at || !e.detail.successful) return
		const fresh = new DOMParser().parseFromString(e.detail.xhr.responseText, 'text/html').getElementById('ops-now')
		if (fresh) window.Idiomorph.morph(at, fresh, { morphStyle: 'outerHTML' })
	})
	document.addEventListener('visibilitychange', () => {
		if (!document.hidden && region()) window.htmx.ajax('GET', '/ops', { source: region(), swap: 'none' })
	})
})()
