import type { Command } from 'commander'
import type { Context } from './context.ts'
import { EXIT_CODES_HELP } from './exit-codes.ts'
import { runGroupCommand } from './group-command.ts'
import {
  type ApiOptions,
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  groupIdArgument,
  jsonOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'

/** Adds `cohort get`: shows a group. */
export function addGetCommand(program: Command, context: Context): void {
  program
    .command('get')
    .summary('show a group')
    .description('Shows a group as it is now.')
    .addArgument(groupIdArgument())
    .addOption(jsonOption())
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText(
      'after',
      `${EXIT_CODES_HELP}

Examples:
  cohort get team-a
  cohort get 'eu/team a' --json
  cohort get -- -starts-with-a-dash`,
    )
    .action((groupId: string, options: ApiOptions) =>
      runGroupCommand(context, options, (client) => client.get(groupId)),
    )
}
