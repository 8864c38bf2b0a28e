// Passkeys: a button that asks the device for one, puts the answer into the form's
// hidden field and sends the form. Without this script, or in a browser without
// passkeys, the buttons stay hidden and every other way is there.
//
// <div data-passkey="get" data-options="/address"> get signs in, new makes one. In it: a
// button, the hidden field, and a paragraph for what went wrong.
(() => {
	'use strict'
	if (!window.PublicKeyCredential || !navigator.credentials) return

	const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0))
	const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
	const known = (list) => (list ?? []).map((c) => ({ ...c, id: bytes(c.id) }))

	async function ask(box) {
		const response = await fetch(box.dataset.options, { method: 'POST', headers: { Accept: 'application/json' } })
		const body = await response.json()
		if (!response.ok) throw new Error(body.message)
		const options = body.publicKey
		options.challenge = bytes(options.challenge)
		if (box.dataset.passkey === 'get') {
			options.allowCredentials = known(options.allowCredentials)
			return navigator.credentials.get({ publicKey: options })
		}
		options.user.id = bytes(options.user.id)
		options.excludeCredentials = known(options.excludeCredentials)
		return navigator.credentials.create({ publicKey: options })
	}

	// answer is the credential as the server reads it.
	function answer(credential) {
		const r = credential.response
		const response = { clientDataJSON: text(r.clientDataJSON) }
		for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
			if (r[name]) response[name] = text(r[name])
		}
		if (r.getTransports) response.transports = r.getTransports()
		return JSON.stringify({
			id: credential.id,
			rawId: text(credential.rawId),
			type: credential.type,
			response,
			clientExtensionResults: credential.getClientExtensionResults(),
			authenticatorAttachment: credential.authenticatorAttachment ?? undefined
		})
	}

	function wordsFor(error, box) {
		if (error.name === 'InvalidStateError') return box.dataset.known
		if (error instanceof DOMException || !error.message) return box.dataset.failed
		return error.message
	}

	for (const box of document.querySelectorAll('[data-passkey]')) {
		const button = box.querySelector('button')
		const problem = box.querySelector('[role=alert]')
		box.hidden = false
		button.addEventListener('click', async () => {
			button.disabled = true
			problem.hidden = true
			try {
				box.querySelector('input[type=hidden]').value = answer(await ask(box))
				box.closest('form').submit()
			} catch (error) {
				problem.querySelector('span').textContent = wordsFor(error, box)
				problem.hidden = false
				button.disabled = false
				button.focus()
			}
		})
	}
})()
