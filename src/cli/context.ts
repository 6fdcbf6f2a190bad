import { type Environment, readEnvironment } from '../config/environment.ts'
import { destinationOf } from '../process/destination.ts'
import type { HostProcess } from '../process/host-process.ts'
import { Output } from './output.ts'
import { terminalOf } from './terminal.ts'

/** What every command is given. */
export type Context = Readonly<{
  environment: Environment
  stdout: Output
  stderr: Output
  /** Where a node or a connector runs. Default: it is the whole process. */
  hostProcess?: HostProcess
}>

/** The context of this process. */
export function contextOfProcess(): Context {
  const environment = readEnvironment()
  const outputOf = (descriptor: 1 | 2) =>
    new Output(destinationOf(descriptor), terminalOf(descriptor, environment.variables))
  return { environment, stdout: outputOf(1), stderr: outputOf(2) }
}
