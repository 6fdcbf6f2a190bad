/** Text for property tests. */
import fc from 'fast-check'

/** The range of the surrogates, which are not characters by themselves. */
const SURROGATE_MIN = 0xd800
const SURROGATE_MAX = 0xdfff

const between = (min: number, max: number) =>
  fc.noBias(fc.integer({ min, max })).map((code) => String.fromCodePoint(code))

/**
 * Any character: of ASCII, of the others that are one unit of UTF-16 (before and after the surrogates), and
 * of those that are two. fast-check calls this unit "binary", but takes seconds to build its table of a
 * million characters.
 */
const anyCharacter = fc.oneof(
  between(0, 0x7f),
  between(0x80, SURROGATE_MIN - 1),
  between(SURROGATE_MAX + 1, 0xffff),
  between(0x10000, 0x10ffff),
)

/** Well-formed text of any characters. `minLength` and `maxLength` count characters. */
export function anyText(
  lengths: Readonly<{ minLength?: number; maxLength?: number }> = {},
): fc.Arbitrary<string> {
  return fc.string({ unit: anyCharacter, ...lengths })
}
