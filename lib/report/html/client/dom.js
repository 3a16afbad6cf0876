/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */
/** @typedef {Record<string, unknown>} Props */

/**
 * An element. All words go in as text, never as markup. A property that is a function listens to that event, `style`
 * is a record of CSS properties, true is an attribute without a value; null, undefined and false are left out.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag)
  applyProps(element, props)
  append(element, children)
  return element
}

/**
 * The same for drawings.
 *
 * @param {string} tag
 * @param {Props} [props]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, props = {}, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS('http://www.w3.org/2000/svg', tag))
  applyProps(element, props)
  append(element, children)
  return element
}

/**
 * @param {HTMLElement | SVGElement} element
 * @param {Props} props
 */
function applyProps(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name, /** @type {EventListener} */ (value))
    else if (name === 'style')
      for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, String(setting))
    else element.setAttribute(name, value === true ? '' : String(value))
  }
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue
    if (Array.isArray(child)) append(element, child)
    else element.append(child instanceof Node ? child : document.createTextNode(String(child)))
  }
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no ${id}`)
  return element
}

/**
 * Tells those who do not see the page what changed.
 *
 * @param {string} message
 */
export function announce(message) {
  byId('live').textContent = message
}
