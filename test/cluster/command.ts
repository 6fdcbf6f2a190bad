/** Commands of the program, as processes of their own or in this one. */
import { Output } from '../../src/cli/output.ts'
import { runProgram } from '../../src/cli/program.ts'
import { runToEnd } from '../../src/cli/run-to-end.ts'
import { Service } from './service.ts'

/**
 * The time that a command may take for the work of a test, on a busy machine.
 */
const COMMAND_MS = 30_000

/** How a command ended, and all that it wrote on both outputs. */
export type Ended = Readonly<{ exitCode: number | null; output: string }>

/** Starts `cohort` with these arguments. `await using` kills it with its test. */
export function startCommand(...args: readonly string[]): Service {
  const command = new Service(args[0] ?? 'cohort', 0, args)
  command.start()
  return command
}

/** Runs `cohort` with these arguments to its end. */
export async function cohort(...args: readonly string[]): Promise<Ended> {
  await using command = startCommand(...args)
  return { exitCode: await command.exit(COMMAND_MS), output: command.output }
}

/**
 * The same in this process, which costs a tenth: for what a command asks and answers. One at a time, and none
 * that goes on until a signal ends it.
 */
export async function cohortHere(...args: readonly string[]): Promise<Ended> {
  let output = ''
  const write = (text: string) => {
    output += text
  }
  const printed = new Output(
    { write, writeAll: async () => {}, flush: async () => true, error: undefined },
    { isTerminal: false, columns: undefined, rows: undefined, hasColours: false },
  )
  const context = { environment: { variables: {}, dotEnv: {} }, stdout: printed, stderr: printed }
  const { exitCode } = await runToEnd(context, () => runProgram(context, args))
  process.exitCode = undefined
  return { exitCode, output }
}
