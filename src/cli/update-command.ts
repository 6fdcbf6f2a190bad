import type { Command } from 'commander'
import type { UpdateGroupBody } from '../api/group-schemas.ts'
import type { Context } from './context.ts'
import { EXIT, EXIT_CODES_HELP } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
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
import { collectKey, collectLabel, type Labels } from './label-options.ts'

/** The changes of an update, as the user typed them. */
export type PatchOptions = Readonly<{
  description?: string
  removeDescription?: boolean
  label?: Labels
  removeLabel?: readonly string[]
}>

type UpdateOptions = ApiOptions & PatchOptions & Readonly<{ ifMatch?: string }>

/** Adds `cohort update`: changes a group's description and labels. */
export function addUpdateCommand(program: Command, context: Context): void {
  program
    .command('update')
    .summary('change the description and the labels of a group')
    .description(
      'Changes the description and the labels of a group, and shows the group. What no option names stays as it is.',
    )
    .addArgument(groupIdArgument())
    .option('--description <text>', 'what the group is for')
    .option('--remove-description', 'remove the description')
    .option('--label <key=value>', 'set a label; may be repeated', collectLabel)
    .option('--remove-label <key>', 'remove a label; may be repeated', collectKey)
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
  cohort update team-a --description 'The A team' --label tier=2 --remove-label env
  cohort update team-a --remove-description --if-match 3-1f0c5a7be2d94c60`,
    )
    .action((groupId: string, options: UpdateOptions) => {
      const patch = toPatch(options)
      return runGroupCommand(context, options, (client) => client.update(groupId, patch, options.ifMatch))
    })
}

/**
 * The merge patch for the options. @throws CommandFailure when there are none, or when two exclude each other
 */
export function toPatch({
  description,
  removeDescription,
  label = [],
  removeLabel = [],
}: PatchOptions): UpdateGroupBody {
  if (description !== undefined && removeDescription) {
    throw new CommandFailure('--description and --remove-description exclude each other', EXIT.usage)
  }
  const both = label.find(([key]) => removeLabel.includes(key))
  if (both !== undefined) {
    throw new CommandFailure(`the label ${both[0]} cannot be set and removed at once`, EXIT.usage)
  }
  const labels = Object.fromEntries<string | null>([
    ...label,
    ...removeLabel.map((key) => [key, null] as const),
  ])
  const patch: UpdateGroupBody = {
    ...(description === undefined ? {} : { description }),
    ...(removeDescription ? { description: null } : {}),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
  }
  if (Object.keys(patch).length === 0) {
    throw new CommandFailure(
      'nothing to change: give --description, --label, --remove-description or --remove-label',
      EXIT.usage,
    )
  }
  return patch
}
