import { h } from './dom.js'
import { tellSteps } from './story-steps.js'

/**
 * @typedef {import('./dom.js').Child} Child
 * @typedef {import('./data.js').Story} Story
 * @typedef {{ title: Child, head: Child, story: Promise<Story | null>, missing: string }} Told
 * `missing` is what to say where no story was kept.
 */

/** Below this width the story covers the page instead of standing beside the chart. */
const narrow = matchMedia('(max-width: 1099px)')

/**
 * The story beside the chart: one trade or one decision, from what was seen to what came of it.
 *
 * @param {{ onClose: () => void, onStep: (by: -1 | 1) => void }} options
 */
export function createStoryPanel({ onClose, onStep }) {
  const title = h('h2', { id: 'story-title', tabindex: -1 })
  const content = h('div', { class: 'story-content' })
  const previous = h(
    'button',
    { type: 'button', 'aria-label': 'Previous', title: 'Previous', click: () => onStep(-1) },
    '‹',
  )
  const next = h('button', { type: 'button', 'aria-label': 'Next', title: 'Next', click: () => onStep(1) }, '›')
  const element = h(
    'aside',
    { id: 'story', class: 'story', role: 'dialog', 'aria-labelledby': 'story-title', hidden: true },
    h(
      'header',
      { class: 'story-head' },
      title,
      h(
        'div',
        { class: 'buttons' },
        previous,
        next,
        h(
          'button',
          { type: 'button', 'aria-label': 'Close the story', title: 'Close (Esc)', click: () => close() },
          '✕',
        ),
      ),
    ),
    content,
  )
  let shown = 0

  /** On a phone the page behind the story is out of reach. */
  function screenOff() {
    const covered = narrow.matches && !element.hidden
    element.setAttribute('aria-modal', String(covered))
    document.documentElement.classList.toggle('covered', covered)
    for (const other of document.querySelectorAll('#bar, #page > :not(#trades), .foot, .stage'))
      other.toggleAttribute('inert', covered)
  }
  narrow.addEventListener('change', screenOff)

  function close() {
    if (element.hidden) return
    shown += 1
    element.hidden = true
    screenOff()
    onClose()
  }
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !element.hidden) {
      event.preventDefault()
      close()
    }
  })

  return {
    element,
    close,
    /**
     * @param {Told} told
     * @param {{ previous: boolean, next: boolean }} neighbours
     */
    async open(told, neighbours) {
      const mine = (shown += 1)
      title.replaceChildren(
        ...[told.title]
          .flat(9)
          .filter((child) => child !== null && child !== undefined && child !== false)
          .map((child) => (child instanceof Node ? child : String(child))),
      )
      previous.disabled = !neighbours.previous
      next.disabled = !neighbours.next
      const head = h('div', {}, told.head)
      content.replaceChildren(head, h('p', { class: 'quiet' }, 'Reading the story…'))
      element.hidden = false
      element.scrollTop = 0
      screenOff()
      title.focus({ preventScroll: true })
      const story = await told.story.catch((error) => {
        if (mine === shown)
          content.replaceChildren(
            head,
            h(
              'p',
              { class: 'problem' },
              `The story cannot be read: ${error instanceof Error ? error.message : String(error)}`,
            ),
          )
        return undefined
      })
      // Another one was opened meanwhile.
      if (mine !== shown || story === undefined) return
      content.replaceChildren(
        head,
        h('div', {}, story === null ? h('p', { class: 'quiet' }, told.missing) : tellSteps(story)),
      )
    },
  }
}
