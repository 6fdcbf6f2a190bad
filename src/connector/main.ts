/** The connector's process: everything it is made of is wired here. */
import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import type { ConnectorSettings } from '../config/settings.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import { systemClock } from './clock.ts'
import { Cluster } from './cluster.ts'
import { GroupRegistry } from './group-registry.ts'
import { buildApp } from './http/app.ts'

/** Serves the public API until it is told to stop. Rejects when it cannot start. */
export async function runConnector(settings: ConnectorSettings): Promise<void> {
  const logger = pino({ level: settings.logLevel, name: 'connector' })
  const cluster = new Cluster({
    hosts: settings.hosts,
    operationTimeoutMs: settings.timeoutMs,
    connect: connectGrpc,
    clock: systemClock,
    logger,
  })
  const app = buildApp({
    registry: new GroupRegistry(cluster),
    cluster,
    clock: { now: () => new Date() },
    newIncarnation: () => randomBytes(8).toString('hex'),
    retryAfterSeconds: 1,
    logger,
  })
  void cluster.run()
  await app.listen({ host: settings.host, port: settings.port })
  logger.info({ host: settings.host, port: settings.port, hosts: settings.hosts }, 'connector is listening')
}
