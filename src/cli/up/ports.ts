import { once } from 'node:events'
import { createServer } from 'node:net'
import { FaultError } from '../../process/fault.ts'
import { listenEverywhere } from '../../process/listen-everywhere.ts'
import { CommandFailure } from '../failure.ts'
import type { ServicePlan } from './cluster-plan.ts'

/**
 * Checks, before anything is started, that every port of the plan is free on every address of its host.
 *
 * @throws {FaultError} when a host has no address of this machine
 * @throws CommandFailure when a port is in use, or may not be used
 */
export async function checkPorts(plan: readonly ServicePlan[]): Promise<void> {
  for (const listener of plan.flatMap(listenersOf)) {
    try {
      const bound = await listenEverywhere(listener, bind)
      for (const { release } of bound) await release()
    } catch (error) {
      throw describe(error, listener)
    }
  }
}

type Listener = Readonly<{ name: string; host: string; port: number }>

function listenersOf({ name, host, port, metricsPort }: ServicePlan): Listener[] {
  const metrics =
    metricsPort === undefined ? [] : [{ name: `the metrics of ${name}`, host, port: metricsPort }]
  return [{ name, host, port }, ...metrics]
}

async function bind(host: string, port: number) {
  const server = createServer()
  server.listen({ host, port, exclusive: true })
  await once(server, 'listening')
  const release = async () => {
    server.close()
    await once(server, 'close')
  }
  return { port, release }
}

function describe(error: unknown, { name, host, port }: Listener): unknown {
  if (!(error instanceof FaultError)) return error
  if (error.code === 'address_in_use') {
    return new CommandFailure(
      `port ${port} of ${host}, for ${name}, is in use: stop what uses it, or choose other ports with --port`,
      undefined,
      { cause: error },
    )
  }
  if ((error.cause as NodeJS.ErrnoException).code === 'EACCES') {
    return new CommandFailure(
      `port ${port}, for ${name}, needs rights that this process does not have: choose another --port`,
      undefined,
      { cause: error },
    )
  }
  return new FaultError(error.code, `${name} ${error.message}`, error)
}
