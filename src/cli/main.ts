/**
 * The program `cohort`: finds the command, and is the edge where what a command throws becomes a sentence.
 */
import { Command } from 'commander'
import { VERSION } from '../process/version.ts'
import { addBackupCommand } from './backup-command.ts'
import { addConnectorCommand } from './connector-command.ts'
import { addCreateCommand } from './create-command.ts'
import { addDeleteCommand } from './delete-command.ts'
import { describeFailure } from './failure.ts'
import { addGenerateCommand } from './generate-command.ts'
import { addGetCommand } from './get-command.ts'
import { addAddCommand, addRemoveCommand, addReplaceCommand } from './members-command.ts'
import { addNodeCommand } from './node-command.ts'
import { addReplicasCommand } from './replicas-command.ts'
import { addRestoreCommand } from './restore-command.ts'
import { addStatusCommand } from './status-command.ts'
import { addUpCommand } from './up-command.ts'
import { addUpdateCommand } from './update-command.ts'
import { addVerifyCommand } from './verify-command.ts'

const program = new Command('cohort')
  .description(
    'A replicated group registry: one public API keeps every group identical on independent nodes.',
  )
  .version(VERSION)
  .exitOverride()
  .helpCommand(false)
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'cohort: ')) })
  .addHelpText(
    'after',
    `
Examples:
  cohort up                           three nodes and a connector on this machine
  cohort status --watch               how it is, and why
  cohort generate                     a thousand groups, verified on every node
  cohort verify --seconds 600         is it linearizable, whatever happens to it meanwhile?
  cohort create team-a --label env=prod
  cohort get team-a --json
  cohort backup --out groups.jsonl    all groups, in one file

cohort COMMAND --help says more.`,
  )

// The order of the help text. Commands inherit the settings above.
addUpCommand(program)
addStatusCommand(program)
addGenerateCommand(program)
addVerifyCommand(program)
addNodeCommand(program)
addConnectorCommand(program)
addAddCommand(program)
addReplaceCommand(program)
addRemoveCommand(program)
addGetCommand(program)
addCreateCommand(program)
addUpdateCommand(program)
addDeleteCommand(program)
addReplicasCommand(program)
addBackupCommand(program)
addRestoreCommand(program)

try {
  await program.parseAsync(process.argv)
} catch (error) {
  const failure = describeFailure(error)
  if (failure === undefined) throw error
  if (failure.message !== '') process.stderr.write(`cohort: ${failure.message}\n`)
  // At once: a process that could not start wholly must not live on in part.
  process.exit(failure.exitCode)
}
