/**
 * The bytes of arguments and environment variables. Node.js decodes them as UTF-8, and puts U+FFFD where that
 * is not possible. Then the text is lost, and two different texts can become equal.
 */
import { isUtf8 } from 'node:buffer'
import { readFileSync, readlinkSync } from 'node:fs'

/** Node.js puts it in place of bytes that are not UTF-8. A user can also type it, but rarely does. */
export const REPLACEMENT_CHARACTER = '\ufffd'

/**
 * The arguments or the variables with which this process was started. If the parent process is a Node.js that
 * has passed its own on, they can already contain U+FFFD. Then the bytes of the parent process are used.
 * `undefined`: the system is not Linux, and does not tell.
 */
export function readRawList(kind: 'cmdline' | 'environ'): readonly Buffer[] | undefined {
  const own = readList('self', kind)
  if (!own?.some((entry) => entry.includes(REPLACEMENT_CHARACTER))) return own
  const garbled = readList(process.ppid, kind)?.filter((entry) => !isUtf8(entry)) ?? []
  const meant = new Map(garbled.map((entry) => [decodedAs(entry), entry]))
  return own.map((entry) => meant.get(decodedAs(entry)) ?? entry)
}

/** The text, with one U+FFFD for several: programs put different numbers of them for a row of bytes. */
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
 * Whether the path of the working directory is UTF-8 text. If not, `process.cwd()` does not name that
 * directory.
 */
export function isWorkingDirectoryText(): boolean {
  if (!process.cwd().includes(REPLACEMENT_CHARACTER)) return true
  try {
    return isUtf8(readlinkSync('/proc/self/cwd', 'buffer'))
  } catch {
    return false
  }
}

/** The bytes as text. A byte that is not part of a UTF-8 character becomes an escape like `\xe9`. */
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
