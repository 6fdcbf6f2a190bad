/**
 * The program `cohort`: runs the command, and turns an error of the command into a message and an exit code.
 */
import { Command } from 'commander'
import { VERSION } from '../process/version.ts'
import { addBackupCommand } from './backup-command.ts'
import { addConnectorCommand } from './connector-command.ts'
import { type Context, contextOfProcess } from './context.ts'
import { addCreateCommand } from './create-command.ts'
import { addDeleteCommand } from './delete-command.ts'
import { EXIT } from './exit-codes.ts'
import { describeFailure } from './failure.ts'
import { addGenerateCommand } from './generate-command.ts'
import { addGetCommand } from './get-command.ts'
import { addAddCommand, addRemoveCommand, addReplaceCommand } from './members-command.ts'
import { addNodeCommand } from './node-command.ts'
import { refuseGarbledArguments } from './raw-arguments.ts'
import { addReplicasCommand } from './replicas-command.ts'
import { addRestoreCommand } from './restore-command.ts'
import { addStatusCommand } from './status-command.ts'
import { addUpCommand } from './up-command.ts'
import { addUpdateCommand } from './update-command.ts'
import { addVerifyCommand } from './verify-command.ts'

/** How long a process that has failed waits until its output has been read. */
const FAILURE_FLUSH_MS = 5_000

await main(contextOfProcess())

async function main(context: Context): Promise<void> {
  const { stdout, stderr } = context
  try {
    refuseGarbledArguments(process.argv.slice(2))
    await programOf(context).parseAsync(process.argv)
  } catch (error) {
    const failure = describeFailure(error)
    if (failure === undefined) throw error
    if (failure.message !== '') stderr.write(`cohort: ${failure.message}\n`)
    await Promise.all([stdout.flush(FAILURE_FLUSH_MS), stderr.flush(FAILURE_FLUSH_MS)])
    // Exit at once: a process that has started only in part must not go on.
    process.exit(failure.exitCode === EXIT.ok ? exitCodeOf(context) : failure.exitCode)
  }
  await stdout.flush()
  process.exitCode = exitCodeOf(context)
}

/** The exit code of a command that has done its work: it depends on whether the output could be printed. */
function exitCodeOf({ stdout, stderr }: Context): number {
  const { loss, hasLostAnswer } = stdout
  if (loss !== undefined) stderr.write(`cohort: not everything could be printed (${loss.message})\n`)
  const exitCode = Number(process.exitCode ?? EXIT.ok)
  return exitCode === EXIT.ok && hasLostAnswer ? EXIT.unprinted : exitCode
}

function programOf(context: Context): Command {
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
    addAddCommand,
    addReplaceCommand,
    addRemoveCommand,
    addGetCommand,
    addCreateCommand,
    addUpdateCommand,
    addDeleteCommand,
    addReplicasCommand,
    addBackupCommand,
    addRestoreCommand,
  ]) {
    add(program, context)
  }
  return program
}
