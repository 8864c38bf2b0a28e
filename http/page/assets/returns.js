// Returns: photos before they are sent, and the lines of a long invoice. What
// cannot be sent is said at once, at the field, and what a phone's camera made far
// larger than anybody needs is made smaller here, so that six of them pass a slow
// line. Without this script the files go as they are, and the server says the same.
(() => {
	'use strict'
	const LONGEST = 2400 // pixels
	const SMALL = 1_500_000 // bytes: goes as it is
	const MOST = 5 * 1024 * 1024
	const KINDS = ['image/jpeg', 'image/png', 'image/webp']

	function say(field, text) {
		const box = field.querySelector('[data-photos-error]')
		box.querySelector('span').textContent = text
		box.hidden = !text
		if (text) field.querySelector('input').setAttribute('aria-invalid', 'true')
		else field.querySelector('input').removeAttribute('aria-invalid')
		field.querySelector('input').classList.toggle('is-invalid', Boolean(text))
	}

	async function smaller(file) {
		if (file.size <= SMALL) return file
		try {
			const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
			const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height))
			const canvas = document.createElement('canvas')
			canvas.width = Math.max(1, Math.round(picture.width * scale))
			canvas.height = Math.max(1, Math.round(picture.height * scale))
			canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height)
			picture.close()
			const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.85))
			if (!blob || blob.size >= file.size) return file
			return new File([blob], file.name.replace(/\.\w+$/, '') + '.jpg', { type: 'image/jpeg' })
		} catch {
			return file // the server says what is wrong with it
		}
	}

	document.addEventListener('change', async (e) => {
		const input = e.target
		const field = input.closest?.('[data-photos]')
		if (!field || input.type !== 'file') return
		const left = Number(field.dataset.photos)
		const chosen = [...input.files]
		const wrong = chosen.find((f) => f.type && !KINDS.includes(f.type))
		if (chosen.length > left) return say(field, `${chosen.length} are chosen, ${left} can be sent.`)
		if (wrong) return say(field, `${wrong.name} is not a photo that can be sent: JPEG, PNG or WebP.`)
		say(field, '')
		const buttons = [...input.form.querySelectorAll('button:not([type=button])')]
		for (const b of buttons) b.disabled = true
		const ready = await Promise.all(chosen.map(smaller))
		for (const b of buttons) b.disabled = false
		const large = ready.find((f) => f.size > MOST)
		if (large) say(field, `${large.name} is larger than 5 MB.`)
		const list = new DataTransfer()
		for (const f of ready) list.items.add(f)
		input.files = list.files
	})

	// Why is asked of what is returned.
	const wake = (field) => { if (Number(field.value) !== 0) field.closest('.return-line')?.classList.remove('idle') }
	document.addEventListener('input', (e) => { if (e.target.closest?.('.return-line')) wake(e.target) })
	document.querySelectorAll('.return-line :is(input, select)').forEach(wake) // what was kept

	// A long invoice is narrowed while typing; what something was said about stays.
	document.addEventListener('input', (e) => {
		if (!e.target.matches('[data-find-lines]')) return
		const words = e.target.value.toLowerCase().split(/\s+/).filter(Boolean)
		for (const line of document.querySelectorAll('.return-line')) {
			const text = line.querySelector('.return-what').textContent.toLowerCase()
			line.hidden = line.classList.contains('idle') && !words.every((w) => text.includes(w))
		}
	})
	// Enter in it finds, and does not send the form.
	document.addEventListener('keydown', (e) => { if (e.key === 'Enter' && e.target.matches('[data-find-lines]')) e.preventDefault() })
})()
