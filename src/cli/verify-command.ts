import type { Command } from 'commander'
import { readCount } from '../config/settings.ts'
import { type ApiFlags, apiAccess } from './api-access.ts'
import type { Context } from './context.ts'
import { caFileOption, clientCertFileOption, clientKeyFileOption, keyFileOption } from './group-options.ts'
import { runInterruptibly } from './interruptible.ts'
import { progressOutput } from './progress.ts'

type VerifyFlags = ApiFlags & Readonly<{ seconds?: string; clients?: string; history?: string }>

/** Adds `cohort verify`: checks that a running cluster is linearizable, as its clients see it. */
export function addVerifyCommand(program: Command, context: Context): void {
  program
    .command('verify')
    .summary('check that a running cluster is linearizable, also while parts of it fail')
    .description(
      'Creates, reads, updates and deletes a few groups (cohort-verify-…) and their members from many clients at ' +
        'once, through all connectors that are named. It checks that every answer could have come from one single ' +
        'copy of the groups. Meanwhile you may stop processes, pull cables and fill disks. At the end it deletes its groups.',
    )
    .option(
      '--url <url>',
      'where a connector is; repeat it for each (default: http://127.0.0.1:8000, or the port that PORT names)',
      (url: string, urls: readonly string[] = []) => [...urls, url],
    )
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .option('--seconds <count>', 'how long the run takes, 1 to 86,400 (default: 60)')
    .option('--clients <count>', 'how many clients at a time, 1 to 256 (default: 16)')
    .option(
      '--history <file>',
      'where to save the operations if a violation is found (default: cohort-verify-<run>.jsonl)',
    )
    .addHelpText(
      'after',
      `
Exit codes:
  0    linearizable
  1    not linearizable (the history is saved); or too few answers to check anything; or no connector answers
  2    a flag or a setting cannot be used
  130  interrupted with Ctrl-C; what was done so far is checked and cleaned up

Examples:
  cohort verify
  cohort verify --seconds 600 --url http://10.0.0.1:8000 --url http://10.0.0.2:8000`,
    )
    .action(async (flags: VerifyFlags) => {
      const { urls, credentials } = apiAccess(context, flags)
      const targets = urls.map((url) => ({ url, credentials }))
      const seconds = readCount('--seconds', flags.seconds, { default: 60, min: 1, max: 86_400 })
      const clients = readCount('--clients', flags.clients, { default: 16, min: 1, max: 256 })
      const { verify } = await import('./verify/verify.ts')
      const output = progressOutput(context.stdout)
      await runInterruptibly((signal) =>
        verify({ targets, seconds, clients, historyPath: flags.history, signal, output }),
      )
    })
}
