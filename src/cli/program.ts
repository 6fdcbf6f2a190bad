import { Command } from 'commander'
import { VERSION } from '../process/version.ts'
import { addBackupCommand } from './backup-command.ts'
import { addCertsCommand } from './certs-command.ts'
import { addConnectorCommand } from './connector-command.ts'
import type { Context } from './context.ts'
import { addCreateCommand } from './create-command.ts'
import { addDeleteCommand } from './delete-command.ts'
import { addGenerateCommand } from './generate-command.ts'
import { addGetCommand } from './get-command.ts'
import { addGroupsOfCommand, addMemberCommand, addMembersCommand } from './group-member-command.ts'
import { addKeyCommand } from './key-command.ts'
import { addListCommand } from './list-command.ts'
import { addLoginCommand, addLogoutCommand } from './login-command.ts'
import { addAddCommand, addRemoveCommand, addReplaceCommand } from './members-command.ts'
import { addNodeCommand } from './node-command.ts'
import { addPostgresCommand } from './postgres-command.ts'
import { addReplicasCommand } from './replicas-command.ts'
import { addRestoreCommand } from './restore-command.ts'
import { addStatusCommand } from './status-command.ts'
import { addUpCommand } from './up-command.ts'
import { addUpdateCommand } from './update-command.ts'
import { addVerifyCommand } from './verify-command.ts'
import { addWatchCommand } from './watch-command.ts'

/**
 * The program `cohort` with all its commands, as `parseAsync` of commander runs it. It prints with `context`
 * only. What ends a command, help too, is thrown (`failure.ts`).
 */
export function programOf(context: Context): Command {
  const { stdout, stderr } = context
  const program = new Command('cohort')
    .description(
      'A replicated group registry: one public API keeps every group identical on independent nodes.',
    )
    .version(VERSION)
    .exitOverride()
    .helpCommand(false)
    .configureOutput({
      writeOut: (text) => stdout.answer(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'cohort: ')),
    })
    .addHelpText(
      'after',
      `
Examples:
  cohort up                           three nodes and a connector on this machine
  cohort status --watch               the state of the cluster, and the reason
  cohort generate                     a thousand groups, verified on every node
  cohort verify --seconds 600         is the cluster linearizable, also while parts of it fail?
  cohort create team-a --label env=prod
  cohort get team-a --json
  cohort member add team-a alice      alice is a member of team-a
  cohort list --labels team=core      groups, as a table; --json for pipes
  cohort watch --initial              each change of a group, as it happens
  cohort backup --out groups.jsonl    all groups, in one file

"cohort COMMAND --help" describes a command.`,
    )
  // In the order of the help text. Commands inherit the settings above.
  for (const add of [
    addUpCommand,
    addStatusCommand,
    addGenerateCommand,
    addVerifyCommand,
    addNodeCommand,
    addConnectorCommand,
    addPostgresCommand,
    addAddCommand,
    addReplaceCommand,
    addRemoveCommand,
    addListCommand,
    addWatchCommand,
    addGetCommand,
    addCreateCommand,
    addUpdateCommand,
    addDeleteCommand,
    addMembersCommand,
    addMemberCommand,
    addGroupsOfCommand,
    addReplicasCommand,
    addBackupCommand,
    addRestoreCommand,
    addKeyCommand,
    addLoginCommand,
    addLogoutCommand,
    addCertsCommand,
  ]) {
    add(program, context)
  }
  return program
}
