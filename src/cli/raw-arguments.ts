import { isUtf8 } from 'node:buffer'
import { SettingError } from '../config/setting-error.ts'
import { escapeBytes, REPLACEMENT_CHARACTER, readRawList } from '../process/raw-text.ts'

/**
 * Refuses arguments that are not UTF-8 text: Node has put U+FFFD in the place of what was meant, and
 * `caf\xe9` and `caf\xe8` would name the same group.
 *
 * @param args the arguments of the program, as Node gives them
 * @throws SettingError
 */
export function refuseGarbledArguments(args: readonly string[]): void {
  if (!args.some((text) => text.includes(REPLACEMENT_CHARACTER))) return
  // Before them are Node, its own options and the program.
  const raw = readRawList('cmdline')?.slice(-args.length)
  for (const [index, text] of args.entries()) {
    if (!text.includes(REPLACEMENT_CHARACTER)) continue
    const bytes = raw?.[index]
    if (bytes !== undefined && isUtf8(bytes)) continue
    const shown = bytes === undefined ? text : escapeBytes(bytes)
    throw new SettingError(`the argument "${shown}" is not UTF-8 text`)
  }
}
