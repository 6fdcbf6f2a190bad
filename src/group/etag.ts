import type { Tagged } from './group.ts'

/** The value of `If-Match` or `If-None-Match`. `*`: any group that exists; else these entity tags. */
export type EtagCondition = '*' | readonly Etag[]

/** An entity tag as it was sent. `opaque` includes the quotes. */
export type Etag = Readonly<{ isWeak: boolean; opaque: string }>

/**
 * The entity tag of a group (strong; RFC 9110 §8.8.3). Two states of an id never have the same tag, also when
 * the group was deleted and created again in between.
 */
export function etagOf({ version, incarnation }: Tagged): string {
  return `"${version}-${incarnation}"`
}

/**
 * Reads the value of `If-Match` or `If-None-Match`. `undefined`: it cannot be read. Empty elements of the
 * list are ignored (RFC 9110 §5.6.1.2), so a list may have no entity tags. Such a list matches nothing.
 */
export function parseEtagCondition(text: string): EtagCondition | undefined {
  if (text.trim() === '*') return '*'
  const tags: Etag[] = []
  for (let at = 0; ; ) {
    ELEMENT.lastIndex = at
    const match = ELEMENT.exec(text)
    if (match === null) return undefined
    const [element, weak, opaque] = match
    if (opaque !== undefined) tags.push({ isWeak: weak !== undefined, opaque })
    if (!element.endsWith(',')) return tags
    at = ELEMENT.lastIndex
  }
}

/** Strong comparison, for `If-Match`: a weak tag never matches. */
export function matchesStrongly(condition: EtagCondition, group: Tagged): boolean {
  if (condition === '*') return true
  return condition.some(({ isWeak, opaque }) => !isWeak && opaque === etagOf(group))
}

/** Weak comparison, for `If-None-Match`. */
export function matchesWeakly(condition: EtagCondition, group: Tagged): boolean {
  return condition === '*' || condition.some(({ opaque }) => opaque === etagOf(group))
}

/** One element of a list, with the comma after it. The element may be empty. */
const ELEMENT = /[\t ]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[\t ]*)?(?:,|$)/y
