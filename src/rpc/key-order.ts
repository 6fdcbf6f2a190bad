/**
 * The order of keys on all nodes: by their UTF-8 bytes. JavaScript compares UTF-16 units, which gives another
 * order.
 */

/** Below 0: `a` comes before `b`. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const one = a.charCodeAt(index)
    const other = b.charCodeAt(index)
    if (one !== other) return rankOf(one) - rankOf(other)
  }
  return a.length - b.length
}

/** The first key after `key`. */
export function successorKey(key: string): string {
  return `${key}\0`
}

/**
 * The first key after all keys that begin with `prefix`. `undefined`: no key comes after those, because the
 * prefix has only the last code point.
 */
export function keyAfterPrefix(prefix: string): string | undefined {
  const points = [...prefix]
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0)!
    if (point === LAST_POINT) continue
    // No text has surrogates by themselves.
    const next = point === LAST_BEFORE_SURROGATES ? FIRST_AFTER_SURROGATES : point + 1
    return points.join('') + String.fromCodePoint(next)
  }
  return undefined
}

const LAST_POINT = 0x10ffff
const LAST_BEFORE_SURROGATES = 0xd7ff
const FIRST_AFTER_SURROGATES = 0xe000

/**
 * The rank of a UTF-16 unit in the order of code points, which is the order of UTF-8 bytes. Surrogates, which
 * make the code points from U+10000 on, come after U+FFFF.
 */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
