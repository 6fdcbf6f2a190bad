import { once } from 'node:events'
import { createServer } from 'node:net'
import { CommandFailure } from '../failure.ts'
import type { ServicePlan } from './cluster-plan.ts'

/** Makes sure that every port of the plan can be had, before anything is started. @throws CommandFailure */
export async function checkPorts(plan: readonly ServicePlan[]): Promise<void> {
  for (const { name, host, port } of plan.flatMap(listenersOf)) {
    const server = createServer()
    server.listen({ host, port, exclusive: true })
    try {
      await once(server, 'listening')
    } catch (cause) {
      throw new CommandFailure(describe(cause as NodeJS.ErrnoException, { name, host, port }), undefined, {
        cause,
      })
    }
    server.close()
    await once(server, 'close')
  }
}

type Listener = Readonly<{ name: string; host: string; port: number }>

function listenersOf({ name, host, port, metricsPort }: ServicePlan): Listener[] {
  const metrics =
    metricsPort === undefined ? [] : [{ name: `the metrics of ${name}`, host, port: metricsPort }]
  return [{ name, host, port }, ...metrics]
}

function describe({ code, message }: NodeJS.ErrnoException, { name, host, port }: Listener): string {
  if (code === 'EADDRINUSE') {
    return `port ${port} of ${host}, for ${name}, is in use: stop what uses it, or choose other ports with --port`
  }
  if (code === 'EACCES')
    return `port ${port}, for ${name}, needs rights this process does not have: choose another --port`
  return `${name} cannot listen on ${host}:${port}: ${message}`
}
