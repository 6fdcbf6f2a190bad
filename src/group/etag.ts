import type { Group } from './group.ts'

/** What a request's `If-Match` or `If-None-Match` names: any group there is, or these entity tags. */
export type EtagCondition = '*' | readonly Etag[]

/** An entity tag as it came: `opaque` with its quotes. */
export type Etag = Readonly<{ isWeak: boolean; opaque: string }>

/** A group's entity tag (strong; RFC 9110 §8.8.3). No two states of an id, in whatever lives of it, have the same. */
export function etagOf({ version, incarnation }: Group): string {
  return `"${version}-${incarnation}"`
}

/** Reads the value of an `If-Match` or `If-None-Match`; `undefined` when it is not one. */
export function parseEtagCondition(text: string): EtagCondition | undefined {
  if (text.trim() === '*') return '*'
  if (!LIST.test(text)) return undefined
  return [...text.matchAll(TAG)].map(([, weak, opaque]) => ({ isWeak: weak !== undefined, opaque: opaque! }))
}

/** Strong comparison, for `If-Match`: a weak tag never matches. */
export function matchesStrongly(condition: EtagCondition, group: Group): boolean {
  if (condition === '*') return true
  return condition.some(({ isWeak, opaque }) => !isWeak && opaque === etagOf(group))
}

/** Weak comparison, for `If-None-Match`. */
export function matchesWeakly(condition: EtagCondition, group: Group): boolean {
  return condition === '*' || condition.some(({ opaque }) => opaque === etagOf(group))
}

const TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g
const LIST = /^\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*$/
