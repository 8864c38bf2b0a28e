// Writes http/page/assets/vendor: the stylesheet without the families of components
// that the portal has no use for, the icons it uses in one sprite, the two
// scripts as they come, and the licences of all of them. See vendor-assets.
import fs from 'node:fs'
import path from 'node:path'
import postcss from 'postcss'

const from = 'node_modules'
const to = 'http/page/assets/vendor'
const read = (...p) => fs.readFileSync(path.join(from, ...p), 'utf8')
const write = (name, text) => {
	fs.writeFileSync(path.join(to, name), text)
	console.log(`${to}/${name}: ${Buffer.byteLength(text)} bytes`)
}

// A rule goes when every one of its selectors names one of these families:
// components that need a script we do not ship, or that no page of ours has.
// Leaving out by name, instead of keeping what today's templates contain, lets
// a page use any other class without running this again.
const unused = [
	'accordion', 'avatar-upload', 'bg-gradient', 'breadcrumb', 'btn-(?:pinterest|facebook|x|twitter|linkedin|google|youtube|vimeo|dribbble|github|instagram|vk|rss|flickr|bitbucket|tabler|floating|animate)',
	'calendar', 'card-(?:rotate|stamp|cover|gradient|img|sponsor)', 'carousel', 'chart', 'chat', 'chip', 'col-form', 'colorinput', 'countup', 'dropzone', 'emoji',
	'flag', 'form-(?:colorinput|imagecheck|floating|range)', 'fullscreen', 'g-col', 'g-start', 'hero', 'icon-(?:pulse|tada|rotate)', 'img-(?:responsive|thumbnail)', 'jvm', 'legend', 'lightbox', 'litepicker',
	'markdown', 'mention', 'modal', 'navbar', 'noUi', 'object-', 'offcanvas', 'otp', 'page-wrapper-full', 'payment', 'photogrid', 'placeholder', 'plyr',
	'popover', 'rating', 'ribbon', 'segmented', 'signal', 'signature', 'social', 'sortable', 'sparkline', 'star-rating', 'stars', 'steps', 'step-item', 'strength', 'switch-icon',
	'text-bg', 'tinymce', 'tom-select', 'tooltip', 'tracking', 'ts-', 'turbo', 'wizard',
	'link-(?:body|primary|secondary|success|info|warning|danger|light|dark|opacity|offset|underline|muted|blue|azure|indigo|purple|pink|red|orange|yellow|lime|green|teal|cyan|x|facebook|twitter|linkedin|google|youtube|vimeo|dribbble|github|instagram|pinterest|vk|rss|flickr|bitbucket|tabler)',
	'focus-ring', 'theme-', 'bg-(?:x|facebook|twitter|linkedin|google|youtube|vimeo|dribbble|github|instagram|pinterest|vk|rss|flickr|bitbucket|tabler)',
	'(?:btn|btn-outline|btn-ghost|text|bg|border|alert|badge|status|list-group-item|table|progress|steps|card|nav|form-check|divide)-(?:blue|azure|indigo|purple|pink|lime|teal|cyan|x|facebook|twitter|linkedin|google|youtube|vimeo|dribbble|github|instagram|pinterest|vk|rss|flickr|bitbucket|tabler|gray)',
]
const dropped = new RegExp(`\\.(?:${unused.join('|')})|\\[data-vc`)

function stylesheet() {
	const root = postcss.parse(read('@tabler/core/dist/css/tabler.min.css'))
	root.walkComments((c) => c.remove())
	root.walkRules((rule) => {
		if (rule.parent.type === 'atrule' && /keyframes/.test(rule.parent.name)) return
		const kept = rule.selectors.filter((s) => !dropped.test(s))
		if (kept.length === 0) rule.remove()
		else if (kept.length < rule.selectors.length) rule.selectors = kept
	})
	root.walkDecls(/^--tblr-(?:x|facebook|twitter|linkedin|google|youtube|vimeo|dribbble|github|instagram|pinterest|vk|rss|flickr|bitbucket|tabler)\b/, (d) => { d.remove() })
	// Keyframes and media queries that nothing is left of.
	root.walkAtRules(/keyframes/, (at) => {
		let used = false
		root.walkDecls(/animation/, (d) => { used ||= d.value.includes(at.params) })
		if (!used) at.remove()
	})
	root.walkAtRules((at) => { if (at.nodes && at.nodes.length === 0) at.remove() })
	return '/*! Licence: see licenses.txt beside this file. */\n' + root.toString()
}

// Icons by the name that pages use; "cart=shopping-cart" renames, "*" takes the
// filled drawing.
const icons = `
alert-triangle arrow-back-up arrow-left arrow-right ban barcode bell bolt box building-store building-warehouse calculator
calendar camera cart=shopping-cart cash category check checks chevron-down chevron-left chevron-right chevron-up circle-check
circle-dashed circle-x clipboard-check clipboard-list clock cloud-upload coin copy credit-card dashboard=layout-dashboard
device-desktop device-mobile dots download edit external-link eye eye-off file-invoice file-spreadsheet file-text
filter hand-stop help=help-circle history home hourglass id inbox info-circle key keyboard layout-list link list lock lock-open login
logout mail map-pin menu=menu-2 message minus moon note notes package packages paperclip percentage phone photo player-pause player-play
plus point printer receipt receipt-refund refresh repeat report road=road route scale scan search send settings shield shield-check
shopping-cart-plus shopping-cart-off sliders=adjustments-horizontal star star-filled=*star subtask sun switch-horizontal table tag tags
theme=brightness-half tool trash trending-down trending-up truck truck-delivery upload user user-check user-shield users wallet wifi-off x
`.trim().split(/\s+/)

function sprite() {
	const outline = read('@tabler/icons-sprite/dist/tabler-sprite-nostroke.svg')
	const filled = read('@tabler/icons-sprite/dist/tabler-sprite-filled.svg')
	const symbols = icons.map((entry) => {
		const [name, drawing = name] = entry.split('=')
		const [text, id] = drawing.startsWith('*')
			? [filled, `tabler-filled-${drawing.slice(1)}`]
			: [outline, `tabler-${drawing}`]
		const start = text.indexOf(`<symbol id="${id}"`)
		if (start < 0) throw new Error(`no icon ${drawing}`)
		return text.slice(start, text.indexOf('</symbol>', start) + 9)
			.replace(`id="${id}"`, `id="${name}"`)
			.replace('<path stroke="none" d="M0 0h24v24H0z" fill="none" />', '')
	})
	return `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`
}

function licences() {
	const mit = read('@tabler/icons-sprite/LICENSE').trim()
	const parts = [
		['Styles (ui.css): @tabler/core, containing Bootstrap (Copyright (c) 2011-2026 The Bootstrap Authors)',
			'Copyright 2018-2026 The Tabler Authors\nCopyright 2018-2026 codecalm.net Paweł Kuna\n\n' + mit],
		['Icons (icons.svg): @tabler/icons-sprite', mit],
		['htmx.js: htmx.org', read('htmx.org/LICENSE').trim()],
		['morph.js: idiomorph', read('idiomorph/LICENSE').trim()],
	]
	return parts.map(([name, text]) => `${name}\n${'='.repeat(name.length)}\n${text}\n`).join('\n\n')
}

fs.rmSync(to, { recursive: true, force: true })
fs.mkdirSync(to, { recursive: true })
write('ui.css', stylesheet())
write('icons.svg', sprite())
write('htmx.js', read('htmx.org/dist/htmx.min.js'))
write('morph.js', read('idiomorph/dist/idiomorph.min.js'))
write('licenses.txt', licences())
// for the browser tests; its licence is in its first lines
fs.writeFileSync('cmd/portal/testdata/axe.min.js', read('axe-core/axe.min.js'))
