import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { hashLineOf } from '../../access/admin-keys.ts'
import { newToken, TOKEN_START } from '../../access/key-token.ts'
import { SettingError } from '../../config/setting-error.ts'
import { tokenIn } from '../api-access.ts'
import type { Context } from '../context.ts'
import { UNPRINTED_HELP } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { readSecret } from '../read-secret.ts'
import { NewFile } from './new-file.ts'

type HashFlags = Readonly<{ new?: string; out?: string; keep?: boolean }>

/** Adds `cohort key hash`: the line of ADMIN_KEY_FILE for a key. It needs no connector. */
export function addHashCommand(program: Command, { stdout, stderr }: Context): void {
  program
    .command('hash')
    .summary('print the hash of a key, for ADMIN_KEY_FILE')
    .description(
      'Reads a key from stdin and prints its hash, which a connector takes in the file that ADMIN_KEY_FILE names. With ' +
        '--new, makes a key first. No connector is needed.',
    )
    .option('--new <file>', 'make a key, and write it to this new file, which only its owner may read')
    .option('--out <file>', 'a new file for the hash (default: stdout)')
    .option('--keep', 'leave files as they are that exist already')
    .addHelpText(
      'after',
      `
Exit codes:
  0  done
  1  a file exists, or cannot be written
  2  what was read is not a key
  7  ${UNPRINTED_HELP}

Examples:
  cohort key hash --new admin.key --out admin.hash
  cohort key hash < admin.key > admin.hash`,
    )
    .action(async ({ new: keyFile, out, keep = false }: HashFlags) => {
      if (keep && out !== undefined && existsSync(out)) return
      const token = keyFile === undefined ? await readKey(stderr) : await makeKey(keyFile, keep)
      const line = `${hashLineOf(token)}\n`
      if (out === undefined) stdout.answer(line)
      else await writeNew(out, line)
    })
}

async function readKey(stderr: Output): Promise<string> {
  const token = tokenIn(await readSecret('API key: ', stderr), 'stdin')
  if (token.startsWith(TOKEN_START)) return token
  throw new SettingError('stdin must hold an API key')
}

/** `keep`: a key that is there already is taken, because the last call may have ended before the hash. */
async function makeKey(path: string, keep: boolean): Promise<string> {
  if (keep && existsSync(path)) return tokenIn(readFileSync(path, 'utf8'), path)
  const token = newToken(randomBytes)
  await writeNew(path, `${token}\n`)
  return token
}

async function writeNew(path: string, text: string): Promise<void> {
  const file = await NewFile.open(path)
  try {
    await file.write(text)
  } finally {
    await file.discard()
  }
}
