/**
 * Asks a node over grpc.health.v1 whether it serves, for container health checks: exit code 0 for yes, 1 for
 * no or no answer.
 *
 *   node src/node/health-check.ts 127.0.0.1:8001
 *
 * If the settings of the node name certificates (NODE_TLS_CERT_FILE and so on), this program shows the
 * certificate of the node, and takes an answer only from the node itself.
 */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { service } from 'grpc-health-check'
import { readEnvironment } from '../config/environment.ts'
import { SettingError } from '../config/setting-error.ts'
import { readCommandTls } from '../config/settings.ts'
import { destinationOf } from '../process/destination.ts'
import { LineOutput } from '../process/line-output.ts'
import { CLIENT_OPTIONS } from '../rpc/channel-options.ts'
import type { Security } from '../rpc/grpc-transport.ts'
import { readMaterial, TlsFileError } from '../tls/material.ts'
import { itself, nodeChannel } from '../tls/node-channel.ts'

/**
 * Below the timeout of the health checks in docker-compose.yml, so that this program can say what is wrong.
 */
const TIMEOUT_MS = 4_000

const [address] = process.argv.slice(2)
if (address === undefined) {
  print(2, 'name the node to ask, as host:port')
  process.exit(2)
}

const { credentials: security, options } = securityOf(address)
const client = new Client(`dns:${address}`, security, { ...CLIENT_OPTIONS, ...options })
const { path, requestSerialize, responseDeserialize } = service.Check!
client.makeUnaryRequest(
  path,
  requestSerialize,
  (bytes) => responseDeserialize(bytes) as { status: string },
  { service: '' },
  { deadline: Date.now() + TIMEOUT_MS },
  (error: ServiceError | null, answer) => {
    client.close()
    const status = error?.message ?? answer?.status ?? 'UNKNOWN'
    print(1, `${address} ${status}`)
    process.exitCode = status === 'SERVING' ? 0 : 1
  },
)

function securityOf(address: string): Security {
  try {
    const tls = readCommandTls({}, readEnvironment())
    if (tls === undefined) return { credentials: credentials.createInsecure(), options: {} }
    const material = readMaterial(tls)
    return nodeChannel(material, address, { judge: itself(material.identity) })
  } catch (error) {
    if (!(error instanceof SettingError || error instanceof TlsFileError)) throw error
    print(1, `${address} ${error.message}`)
    process.exit(1)
  }
}

/**
 * Output that cannot be written does not change the exit code, because a health check is judged by its exit
 * code.
 */
function print(descriptor: 1 | 2, line: string): void {
  new LineOutput(destinationOf(descriptor), () => '').write(`${line}\n`)
}
