/**
 * A JSON text: these bytes (UTF-8) without those from `start` on, before `end`. Many stored values can be
 * passed on in this form without a copy of each.
 */
export type CutText = Readonly<{ bytes: Buffer; start: number; end: number }>

const COMMA = 0x2c

/** The bytes (UTF-8) of the texts, with commas between them, after `opening` and before `closing`. */
export function joinCutTexts(opening: string, texts: readonly CutText[], closing: string): Buffer {
  let length = Buffer.byteLength(opening) + Buffer.byteLength(closing) + Math.max(0, texts.length - 1)
  for (const { bytes, start, end } of texts) length += bytes.length - (end - start)
  const joined = Buffer.allocUnsafe(length)
  let next = joined.write(opening)
  for (const [index, { bytes, start, end }] of texts.entries()) {
    if (index > 0) {
      joined[next] = COMMA
      next += 1
    }
    next += bytes.copy(joined, next, 0, start)
    next += bytes.copy(joined, next, end)
  }
  joined.write(closing, next)
  return joined
}
