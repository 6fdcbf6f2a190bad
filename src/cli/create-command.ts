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
import { collectLabel, type Labels, toLabels } from './label-options.ts'

/** How long a create with an open outcome is repeated. */
const PATIENCE_MS = 10_000

type CreateOptions = ApiOptions & Readonly<{ description?: string; label?: Labels }>

/** Adds `cohort create`: creates a group. */
export function addCreateCommand(program: Command, context: Context): void {
  program
    .command('create')
    .summary('create a group')
    .description(
      'Creates a group and shows it. Fails when a group with that id exists (409 group_exists). If the answer leaves ' +
        'open whether the group was created (504), the command asks again for 10 s. It sends an Idempotency-Key, so ' +
        'that the group is created once.',
    )
    .addArgument(groupIdArgument())
    .option('--description <text>', 'what the group is for')
    .option('--label <key=value>', 'a label; may be repeated', collectLabel)
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
  cohort create team-a
  cohort create team-a --description 'The A team' --label env=prod --label tier=1`,
    )
    .action((groupId: string, { description, label, ...options }: CreateOptions) =>
      runGroupCommand(context, options, (client) => {
        const group = {
          groupId,
          ...(description === undefined ? {} : { description }),
          ...(label === undefined ? {} : { labels: toLabels(label) }),
        }
        return client.createSurely(group, PATIENCE_MS)
      }),
    )
}
