/**
 * Make an element. Text goes in as text, never as markup.
 *
 * @param {string} tag
 * @param {{class?: string, text?: string, attributes?: Record<string, string>}} [options]
 * @param {...Node} children
 */
export function element(tag, { class: className, text, attributes = {} } = {}, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
