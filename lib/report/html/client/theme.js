import { h } from './dom.js'

/**
 * @typedef {{ surface: string, text: string, muted: string, line: string, accent: string, gain: string, loss: string }}
 * Colours
 */

/** @type {Set<() => void>} */
const listeners = new Set()
const preference = matchMedia('(prefers-color-scheme: dark)')
/** @type {'light' | 'dark' | null} Chosen on the page; null follows the system. */
let chosen = null

const isDark = () => (chosen ?? (preference.matches ? 'dark' : 'light')) === 'dark'

/** @param {'light' | 'dark' | null} scheme */
function apply(scheme) {
  if (scheme === null) delete document.documentElement.dataset['theme']
  else document.documentElement.dataset['theme'] = scheme
  for (const listener of listeners) listener()
}

preference.addEventListener('change', () => apply(chosen))
// Paper is white.
addEventListener('beforeprint', () => apply('light'))
addEventListener('afterprint', () => apply(chosen))

/** @param {() => void} listener */
export const onThemeChange = (listener) => listeners.add(listener)

/** A button that says what it will do. */
export function themeButton() {
  const button = h('button', {
    type: 'button',
    class: 'theme',
    click: () => apply((chosen = isDark() ? 'light' : 'dark')),
  })
  const label = () => {
    button.textContent = isDark() ? '☀ Light' : '☾ Dark'
    button.setAttribute('aria-label', isDark() ? 'Switch to light colours' : 'Switch to dark colours')
  }
  onThemeChange(label)
  label()
  return button
}

/**
 * The colours of the moment, resolved, for the canvas.
 *
 * @returns {Colours}
 */
export function currentColours() {
  const probe = h('span', { hidden: true })
  document.body.append(probe)
  const resolved = (/** @type {string} */ name) => {
    probe.style.setProperty('color', `var(--${name})`)
    return getComputedStyle(probe).color
  }
  const colours = {
    surface: resolved('surface'),
    text: resolved('text'),
    muted: resolved('muted'),
    line: resolved('line'),
    accent: resolved('accent'),
    gain: resolved('gain'),
    loss: resolved('loss'),
  }
  probe.remove()
  return colours
}
