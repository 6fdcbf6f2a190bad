/** Commands of the program, as processes of their own. */
import { Service } from './service.ts'

/**
 * How long a command may take that has no more to do than a test gives it, on a machine that is busy with
 * others.
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
