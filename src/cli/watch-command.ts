import type { Command } from 'commander'
import { type ApiFlags, apiAccess } from './api-access.ts'
import type { Context } from './context.ts'
import { UNPRINTED_HELP } from './exit-codes.ts'
import {
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'
import { runInterruptibly } from './interruptible.ts'

type WatchFlags = ApiFlags & Readonly<{ prefix?: string; labels?: string; initial?: boolean; json?: boolean }>

/** Adds `cohort watch`: prints the changes of groups. */
export function addWatchCommand(program: Command, context: Context): void {
  const { stdout, stderr } = context
  program
    .command('watch')
    .summary('print each change of a group')
    .description(
      'Prints a line for each change of a group, until Ctrl-C. If the connector dies, the watch goes on at another one ' +
        'and misses nothing; where that is not possible, it prints "reset".',
    )
    .option('--prefix <text>', 'only groups whose ids begin with this text')
    .option('--labels <selector>', 'only groups with these labels, as team=core,env in (prod,stage),!legacy')
    .option('--initial', 'first all groups that are there, and then "synced"')
    .option('--json', 'print each event as one JSON object per line')
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText(
      'after',
      `
Exit codes:
  1    the API refuses the watch
  2    a flag or a setting cannot be used
  7    ${UNPRINTED_HELP}
  130  ended with Ctrl-C

Examples:
  cohort watch --initial
  cohort watch --prefix eu/ --json | jq -r 'select(.event == "group-deleted").groupId'
  cohort watch --url http://127.0.0.1:8000 --url http://127.0.0.1:8004`,
    )
    .action(async ({ prefix, labels, initial = false, json = false, ...flags }: WatchFlags) => {
      const access = apiAccess(context, flags)
      const { watchGroups } = await import('./watch/watch-groups.ts')
      stdout.becomeLog()
      await runInterruptibly((signal) =>
        watchGroups({
          access,
          prefix,
          labels,
          hasInitial: initial,
          isJson: json,
          output: stdout,
          note: (sentence) => stderr.write(`cohort: ${sentence}\n`),
          signal,
        }),
      )
    })
}
