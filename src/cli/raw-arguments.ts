import { isUtf8 } from 'node:buffer'
import { SettingError } from '../config/setting-error.ts'
import { escapeBytes, REPLACEMENT_CHARACTER, readRawList } from '../process/raw-text.ts'

/**
 * Refuses arguments that are not UTF-8 text. Node.js has replaced their invalid bytes by U+FFFD, so `caf\xe9`
 * and `caf\xe8` would name the same group.
 *
 * @param args the arguments of the program, as Node.js gives them
 * @throws SettingError
 */
export function refuseGarbledArguments(args: readonly string[]): void {
  if (!args.some((text) => text.includes(REPLACEMENT_CHARACTER))) return
  // The list begins with Node.js, its options and the program.
  const raw = readRawList('cmdline')?.slice(-args.length)
  for (const [index, text] of args.entries()) {
    if (!text.includes(REPLACEMENT_CHARACTER)) continue
    const bytes = raw?.[index]
    if (bytes !== undefined && isUtf8(bytes)) continue
    const shown = bytes === undefined ? text : escapeBytes(bytes)
    throw new SettingError(`the argument "${shown}" is not UTF-8 text`)
  }
}
