import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { apiAccess } from './api-access.ts'
import type { Context } from './context.ts'
import { UNPRINTED_HELP } from './exit-codes.ts'
import {
  type ApiOptions,
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  jsonOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'
import { runInterruptibly } from './interruptible.ts'

const WATCH_MS = 1_000

/** Adds `cohort status`: shows the state of the cluster. */
export function addStatusCommand(program: Command, context: Context): void {
  program
    .command('status')
    .summary('show the state of the cluster: a verdict, the reason, and every node')
    .description(
      'Shows the state of the cluster, as one connector sees it. The verdict is healthy, degraded (all requests are ' +
        'served, but something needs attention) or unavailable. The reason follows in a sentence, then a line for every node.',
    )
    .option('--watch', 'show the state again each second, until Ctrl-C')
    .addOption(jsonOption())
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText(
      'after',
      `
Exit codes:
  0    healthy
  1    not known: no connector answers
  2    a flag or a setting cannot be used
  4    degraded
  5    unavailable
  7    ${UNPRINTED_HELP}
  130  --watch was ended with Ctrl-C

Examples:
  cohort status
  cohort status --watch
  cohort status --json --url http://127.0.0.1:9000`,
    )
    .action(async ({ watch = false, json = false, ...flags }: ApiOptions & { watch?: boolean }) => {
      const access = apiAccess(context, flags)
      const { showStatus, watchStatus } = await import('./status/status.ts')
      const options = { ...access, isJson: json, output: context.stdout }
      if (!watch) {
        process.exitCode = await showStatus(options)
        return
      }
      await runInterruptibly((signal) =>
        watchStatus({
          ...options,
          signal,
          pause: (ended) => sleep(WATCH_MS, undefined, { signal: ended }).catch(() => undefined),
          clockTime: () => `${new Date().toLocaleTimeString('en-GB')}, every second; Ctrl-C ends it`,
        }),
      )
    })
}
