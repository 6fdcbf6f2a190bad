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
  ifMatchOption,
  jsonOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'

type DeleteOptions = ApiOptions & Readonly<{ ifMatch?: string }>

/** Adds `cohort delete`: deletes a group. */
export function addDeleteCommand(program: Command, context: Context): void {
  program
    .command('delete')
    .summary('delete a group')
    .description('Deletes a group, and shows its last state.')
    .addArgument(groupIdArgument())
    .addOption(ifMatchOption())
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
  cohort delete team-a
  cohort delete team-a --if-match 3-1f0c5a7be2d94c60`,
    )
    .action((groupId: string, { ifMatch, ...options }: DeleteOptions) =>
      runGroupCommand(context, options, (client) => client.delete(groupId, ifMatch)),
    )
}
