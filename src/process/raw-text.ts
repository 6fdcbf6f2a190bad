/**
 * Text as this process was given it, in bytes. Node decodes arguments and environment variables as UTF-8, and
 * puts U+FFFD where that is not possible: the text that was meant is lost, and two different texts can become
 * equal.
 */
import { isUtf8 } from 'node:buffer'
import { readFileSync, readlinkSync } from 'node:fs'

/** What Node puts in the place of bytes that are not UTF-8. It can also be typed, but hardly ever is. */
export const REPLACEMENT_CHARACTER = '\ufffd'

/**
 * The arguments or the variables that this process was started with. Where the process that started it has
 * put U+FFFD in them, as a Node does that passes on what it was given, they are those of that process.
 * `undefined`: the system does not tell (only Linux does).
 */
export function readRawList(kind: 'cmdline' | 'environ'): readonly Buffer[] | undefined {
  const own = readList('self', kind)
  if (!own?.some((entry) => entry.includes(REPLACEMENT_CHARACTER))) return own
  const garbled = readList(process.ppid, kind)?.filter((entry) => !isUtf8(entry)) ?? []
  const meant = new Map(garbled.map((entry) => [decodedAs(entry), entry]))
  return own.map((entry) => meant.get(decodedAs(entry)) ?? entry)
}

/** Programs differ in how many U+FFFD they put for some bytes in a row. */
function decodedAs(bytes: Buffer): string {
  return bytes.toString().replaceAll(/\ufffd+/g, REPLACEMENT_CHARACTER)
}

function readList(pid: number | 'self', kind: 'cmdline' | 'environ'): readonly Buffer[] | undefined {
  try {
    return splitAtNuls(readFileSync(`/proc/${pid}/${kind}`))
  } catch {
    return undefined
  }
}

/**
 * Whether the path of the working directory is UTF-8 text: else `process.cwd()` names another directory, or
 * none.
 */
export function isWorkingDirectoryText(): boolean {
  if (!process.cwd().includes(REPLACEMENT_CHARACTER)) return true
  try {
    return isUtf8(readlinkSync('/proc/self/cwd', 'buffer'))
  } catch {
    return false
  }
}

/** The text of bytes, with each byte that is not part of a UTF-8 character as `\xe9`. */
export function escapeBytes(bytes: Buffer): string {
  let text = ''
  for (let start = 0; start < bytes.length; ) {
    const length = CHARACTER_LENGTHS.find((count) => {
      const slice = bytes.subarray(start, start + count)
      return slice.length === count && isUtf8(slice)
    })
    text +=
      length === undefined
        ? `\\x${bytes[start]!.toString(16).padStart(2, '0')}`
        : bytes.toString('utf8', start, start + length)
    start += length ?? 1
  }
  return text
}

const CHARACTER_LENGTHS = [1, 2, 3, 4]

function splitAtNuls(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start)
    if (end === -1) return [...parts, bytes.subarray(start)]
    parts.push(bytes.subarray(start, end))
    start = end + 1
  }
  return parts
}
