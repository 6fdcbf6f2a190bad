/** The certificates of a local cluster, in its data directory: made and renewed by `cohort up` itself. */
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { caFiles, filesOf, type ProcessFiles } from '../certs/layout.ts'

/** The name of the folder in the data directory. */
export const CERTIFICATES = 'certificates'

/** How often the certificates are looked at, to renew those that expire soon. */
const LOOK_MS = 86_400_000

export type LocalCertificates = Readonly<{
  /** Names the files of a service of the cluster. */
  filesOf: (kind: 'node' | 'connector', name: string) => ProcessFiles
  /** The file with the CA, for clients of the API. */
  caFile: string
}>

/** Where the certificates are. */
export function certificatesIn(dataDir: string): LocalCertificates {
  const directory = join(dataDir, CERTIFICATES)
  return {
    filesOf: (kind, name) => filesOf(directory, kind, name),
    caFile: caFiles(directory).forClients,
  }
}

/** Makes the certificates of these services that are missing, and renews those that expire within 30 days. */
export async function makeCertificates(
  dataDir: string,
  services: readonly Readonly<{ kind: 'node' | 'server' | 'connector'; name: string; host: string }>[],
): Promise<void> {
  const { initCertificates } = await import('../certs/certificates.ts')
  const places = (wanted: string) =>
    services.filter(({ kind }) => kind === wanted).map(({ name, host }) => ({ name, hosts: hostsOf(host) }))
  await initCertificates(join(dataDir, CERTIFICATES), {
    cluster: undefined,
    nodes: places('node'),
    connectors: places('connector'),
    existing: 'keep',
    now: new Date(),
  })
}

/**
 * Renews the certificates while the cluster runs. The returned function ends it. `onFailure` is called with
 * the reason when they cannot be renewed.
 */
export function keepRenewing(renew: () => Promise<void>, onFailure: (reason: string) => void): () => void {
  const timer = setInterval(() => {
    renew().catch((error: unknown) => onFailure(error instanceof Error ? error.message : String(error)))
  }, LOOK_MS)
  return () => clearInterval(timer)
}

/** By which hosts a service that listens on `host` is reached: all of this machine, if it stands for all. */
function hostsOf(host: string): string[] {
  if (host !== '0.0.0.0' && host !== '::') return [host]
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .map(({ address }) => address)
  return [hostname().toLowerCase(), ...addresses]
}
