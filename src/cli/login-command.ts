import type { Command } from 'commander'
import type { Environment } from '../config/environment.ts'
import { SettingError } from '../config/setting-error.ts'
import { type ApiFlags, apiAccess, tokenIn, urlsOf } from './api-access.ts'
import type { Context } from './context.ts'
import { EXIT_CODES_HELP } from './exit-codes.ts'
import { printable } from './format-group.ts'
import { toFailure } from './group-command.ts'
import {
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'
import { rightsOf } from './key/key-report.ts'
import { loginFile, removeLogin, saveLogin } from './logins.ts'
import { readSecret } from './read-secret.ts'

/** Adds `cohort login`: checks a key, and keeps it for the commands that follow. */
export function addLoginCommand(program: Command, context: Context): void {
  const { environment, stdout, stderr } = context
  program
    .command('login')
    .summary('keep a key for the commands that follow')
    .description(
      'Reads a key from stdin or --key-file, asks the connector whether it is valid, and keeps it for this URL in a file ' +
        'that only you may read. Commands for the same URL use it, unless they name another key.',
    )
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText(
      'after',
      `${EXIT_CODES_HELP}

Examples:
  cohort login --url https://cohort.example.com < ci.key
  cohort login`,
    )
    .action(async (flags: ApiFlags) => {
      const file = loginFile(environment.variables)
      const url = oneUrl(flags, environment)
      const { credentials } = apiAccess(context, flags, { usesLogin: false })
      const token =
        credentials.tokenFor?.(url) ?? tokenIn(await readSecret(`API key for ${url}: `, stderr), 'stdin')
      const { ApiClient } = await import('./api-client.ts')
      const client = new ApiClient({ url, credentials: { ...credentials, tokenFor: () => token } })
      try {
        const reply = await client.caller()
        if (reply.kind !== 'answered') throw toFailure(reply, url)
        await saveLogin(file, url, token)
        const { kind, name, ...rights } = reply.value
        const who =
          kind === 'anonymous' ? 'the connector asks nobody for a key' : `you are ${printable(name)}`
        stdout.write(`${who}: ${rightsOf(rights)}. The key for ${url} is in ${file}.\n`)
      } finally {
        await client.close()
      }
    })
}

/** Adds `cohort logout`: forgets a key. */
export function addLogoutCommand(program: Command, { environment, stdout }: Context): void {
  program
    .command('logout')
    .summary('forget the key that login has kept')
    .description('Forgets the key for a URL. The key stays valid: "cohort key revoke" ends it.')
    .addOption(urlOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0  done, also if there was no key
  1  the file of the keys cannot be written
  2  a flag or a setting cannot be used

Examples:
  cohort logout
  cohort logout --url https://cohort.example.com`,
    )
    .action(async (flags: Pick<ApiFlags, 'url'>) => {
      const url = oneUrl(flags, environment)
      const wasThere = await removeLogin(loginFile(environment.variables), url)
      stdout.write(wasThere ? `the key for ${url} is forgotten\n` : `there was no key for ${url}\n`)
    })
}

/** A key is kept for one connector. @throws SettingError */
function oneUrl(flags: Pick<ApiFlags, 'url'>, environment: Environment): string {
  const [url, another] = urlsOf(flags, environment)
  if (another !== undefined) throw new SettingError('--url must be given once: a key is kept for one URL')
  return url!
}
