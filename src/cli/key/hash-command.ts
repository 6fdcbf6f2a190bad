import { randomBytes } from 'node:crypto'
import type { Command } from 'commander'
import { hashLineOf } from '../../access/admin-keys.ts'
import { newToken, TOKEN_START } from '../../access/key-token.ts'
import { SettingError } from '../../config/setting-error.ts'
import { tokenIn } from '../api-access.ts'
import type { Context } from '../context.ts'
import { UNPRINTED_HELP } from '../exit-codes.ts'
import { readSecret } from '../read-secret.ts'
import { KeyFile } from './write-key.ts'

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
    .addHelpText(
      'after',
      `
Exit codes:
  0  done
  1  the file of the new key exists, or cannot be written
  2  what was read is not a key
  7  ${UNPRINTED_HELP}

Examples:
  cohort key hash --new admin.key > admin.hash
  cohort key hash < admin.key > admin.hash`,
    )
    .action(async ({ new: path }: Readonly<{ new?: string }>) => {
      if (path === undefined) {
        const token = tokenIn(await readSecret('API key: ', stderr), 'stdin')
        if (!token.startsWith(TOKEN_START)) throw new SettingError('stdin must hold an API key')
        stdout.answer(`${hashLineOf(token)}\n`)
        return
      }
      const token = newToken(randomBytes)
      const file = await KeyFile.open(path)
      try {
        await file.write(token)
      } finally {
        await file.discard()
      }
      stdout.answer(`${hashLineOf(token)}\n`)
    })
}
