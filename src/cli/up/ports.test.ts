import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { CommandFailure } from '../failure.ts'
import type { ServicePlan } from './cluster-plan.ts'
import { checkPorts } from './ports.ts'

async function listen(port: number): Promise<Server> {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true })
  await once(server, 'listening')
  return server
}

async function close(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}

/** This many ports on which nothing listens. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map(close))
  return ports
}

function aPlan(name: string, port: number, metricsPort?: number): ServicePlan {
  const metrics = metricsPort === undefined ? {} : { metricsPort }
  return { name, kind: 'node', scheme: 'http', host: '127.0.0.1', port, ...metrics, args: [] }
}

function refused(message: RegExp) {
  return (error: unknown) => error instanceof CommandFailure && message.test(error.message)
}

test('free ports are free again after the check', async () => {
  const [a, b, c] = (await freePorts(3)) as [number, number, number]
  await checkPorts([aPlan('node1', a, b), aPlan('node2', c)])
  const servers = await Promise.all([a, b, c].map(listen))
  await Promise.all(servers.map(close))
})

test('a port in use is refused by the name of the service that wants it, and the others are free again', async () => {
  const [free, taken] = (await freePorts(2)) as [number, number]
  const server = await listen(taken)
  const wanted = [
    [aPlan('node2', taken), 'node2'],
    [aPlan('node2', free, taken), 'the metrics of node2'],
  ] as const
  for (const [plan, name] of wanted) {
    await assert.rejects(
      checkPorts([aPlan('node1', free), plan]),
      refused(new RegExp(`^port ${taken} of 127.0.0.1, for ${name}, is in use: `)),
    )
    await close(await listen(free))
  }
  await close(server)
})
