import type { Environment } from '../config/environment.ts'
import type { Flags } from '../config/lookup.ts'
import { readCommandTls } from '../config/settings.ts'
import type { Connect } from '../rpc/transport.ts'
import { TlsFileError } from '../tls/material.ts'
import { CommandFailure } from './failure.ts'

/**
 * How a command connects to nodes: with the certificate that the settings name, or without TLS.
 *
 * @throws SettingError
 * @throws CommandFailure when the files cannot be used
 */
export async function nodeConnector(flags: Flags, environment: Environment): Promise<Connect> {
  const tls = readCommandTls(flags, environment)
  const { connectGrpc } = await import('../rpc/grpc-transport.ts')
  if (tls === undefined) return (address) => connectGrpc(address)
  const { readMaterial } = await import('../tls/material.ts')
  const { nodeChannel } = await import('../tls/node-channel.ts')
  try {
    const material = readMaterial(tls)
    return (address) => connectGrpc(address, { security: (to) => nodeChannel(material, to) })
  } catch (error) {
    if (error instanceof TlsFileError) throw new CommandFailure(error.message, undefined, { cause: error })
    throw error
  }
}
