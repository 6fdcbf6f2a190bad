/** Commands of the program, as processes of their own. */
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
