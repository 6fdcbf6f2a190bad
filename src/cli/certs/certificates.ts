/** Makes and renews the certificates of a cluster, in a folder whose form `layout.ts` describes. */
import { randomBytes, X509Certificate } from 'node:crypto'
import { renameSync, rmSync } from 'node:fs'
import { isIP } from 'node:net'
import { EXPIRY_NOTICE_MS } from '../../tls/expiry.ts'
import { namesOf, uriOf } from '../../tls/identity.ts'
import { isSignedBy } from '../../tls/material.ts'
import { EXIT } from '../exit-codes.ts'
import { CommandFailure } from '../failure.ts'
import { issueCa, issueLeaf, type Pair } from './issue.ts'
import {
  caFiles,
  filesOf,
  hasCa,
  type Kind,
  namesIn,
  readCa,
  readCertificates,
  readText,
  writePair,
  writePrivate,
} from './layout.ts'
import type { Place } from './places.ts'

export type Places = Readonly<{ nodes: readonly Place[]; connectors: readonly Place[] }>

export type InitOptions = Places &
  Readonly<{
    /**
     * The name of the cluster in its certificates. `undefined`: the name that is there already, so that
     * running processes take the new certificates as theirs; else a name is drawn.
     */
    cluster: string | undefined
    /**
     * What to do if there is a CA already. `refuse`: fail. `keep`: make what is missing, and renew what
     * expires within 30 days or lacks a host. `replace`: begin anew; processes with the old certificates are
     * then shut out.
     */
    existing: 'refuse' | 'keep' | 'replace'
    now: Date
  }>

/** What was done: the name of the cluster, and the processes that got new certificates. */
export type Issued = Readonly<{ cluster: string; issued: readonly string[] }>

/** Makes a CA, and certificates for all places. @throws CommandFailure */
export async function initCertificates(directory: string, options: InitOptions): Promise<Issued> {
  const { nodes, connectors, existing, now } = options
  if (hasCa(directory) && existing === 'refuse') {
    throw new CommandFailure(
      `${directory} holds certificates already, which were not changed: renew them with "cohort certs renew", ` +
        'or begin anew with --replace, which shuts out all processes with the old ones',
      EXIT.usage,
    )
  }
  if (hasCa(directory) && existing === 'keep') {
    return renewLeaves(directory, { nodes, connectors, now, withinMs: EXPIRY_NOTICE_MS })
  }
  const { current, next, old } = caFiles(directory)
  const cluster = options.cluster ?? nameBefore(directory) ?? randomBytes(8).toString('hex')
  for (const file of [next, old]) rmSync(file, { force: true })
  const ca = await issueCa(caNameOf(cluster), now)
  await writePrivate(current, ca.cert + ca.key)
  return issueAll(directory, { nodes, connectors, now, withinMs: Number.POSITIVE_INFINITY })
}

export type RenewOptions = Places &
  Readonly<{
    now: Date
    /** Renew only certificates that expire within this time. */
    withinMs: number
  }>

/**
 * Renews the certificates of all processes, and makes those of places that have none. If a new CA was made
 * before, they are signed by it from now on.
 *
 * @throws CommandFailure
 */
export async function renewLeaves(directory: string, options: RenewOptions): Promise<Issued> {
  requireCa(directory)
  const { current, next, old } = caFiles(directory)
  if (readCertificates(next).length === 0) return issueAll(directory, options)
  // A CA that is in two of these files is trusted once: a power cut between these steps does no harm.
  await writePrivate(old, [...readCertificates(current), ...readCertificates(old)].map(String).join(''))
  renameSync(next, current)
  return issueAll(directory, { ...options, withinMs: Number.POSITIVE_INFINITY })
}

/**
 * Makes a new CA, which all processes trust from then on beside the one before. It signs nothing yet.
 *
 * @throws CommandFailure
 */
export async function addCa(directory: string, now: Date): Promise<Issued> {
  requireCa(directory)
  const { next, old } = caFiles(directory)
  if (readCertificates(old).length > 0) {
    throw new CommandFailure(
      'the last replacement of the CA has not ended: first run "cohort certs renew --drop-old-ca"',
      EXIT.usage,
    )
  }
  const cluster = clusterOf(directory)
  requireLiving(directory, now)
  if (readCertificates(next).length === 0) {
    const { cert, key } = await issueCa(caNameOf(cluster), now)
    await writePrivate(next, cert + key)
  }
  await writeAuthorities(directory)
  return { cluster, issued: [] }
}

/** Ends the replacement of a CA: nobody trusts the old one any more. @throws CommandFailure */
export async function dropOldCa(directory: string): Promise<Issued> {
  requireCa(directory)
  const { current, next, old } = caFiles(directory)
  if (readCertificates(next).length > 0) {
    throw new CommandFailure('the new CA has signed nothing yet: first run "cohort certs renew"', EXIT.usage)
  }
  const authorities = readCertificates(current)
  const left = everyone(directory).find(
    ({ files }) => !isSignedBy(authorities, readCertificates(files.cert)[0]!),
  )
  if (left !== undefined) {
    throw new CommandFailure(
      `the certificate of ${left.name} is still signed by the old CA: first run "cohort certs renew"`,
      EXIT.usage,
    )
  }
  rmSync(old, { force: true })
  await writeAuthorities(directory)
  return { cluster: clusterOf(directory), issued: [] }
}

/** Everybody can reach a connector of the own machine at these, as the commands do. */
const LOOPBACKS = ['localhost', '127.0.0.1', '::1']

async function issueAll(
  directory: string,
  { nodes, connectors, now, withinMs }: RenewOptions,
): Promise<Issued> {
  requireLiving(directory, now)
  // First, so that a process that takes a new certificate trusts those of the others already.
  await writeAuthorities(directory, { nodes, connectors })
  const cluster = clusterOf(directory)
  const ca = readCa(caFiles(directory).current)
  const issued: string[] = []
  for (const [kind, places] of [
    ['node', nodes],
    ['connector', connectors],
  ] as const) {
    for (const place of allPlaces(directory, kind, places)) {
      const isNew = await issueOne(directory, { kind, place, cluster, ca, now, withinMs })
      if (isNew) issued.push(`${kind} ${place.name}`)
    }
  }
  return { cluster, issued }
}

type One = Readonly<{ kind: Kind; place: Place; cluster: string; ca: Pair; now: Date; withinMs: number }>

/** @returns whether there are new certificates */
async function issueOne(
  directory: string,
  { kind, place, cluster, ca, now, withinMs }: One,
): Promise<boolean> {
  const { name, hosts } = place
  const files = filesOf(directory, kind, name)
  const isGood = (file: string) => {
    const [certificate] = readCertificates(file)
    if (certificate === undefined || !isFor(hosts, certificate)) return false
    return certificate.validToDate.getTime() - now.getTime() > withinMs
  }
  if (isGood(files.cert) && (kind === 'node' || isGood(files.apiCert))) return false
  const uri = uriOf({ cluster, kind, name })
  const commonName = name.slice(0, 64)
  // A node is a client of itself: its health check shows its certificate.
  const usages = kind === 'node' ? (['server', 'client'] as const) : (['client'] as const)
  if (kind === 'connector') {
    const apiHosts = [...new Set([...hosts, ...LOOPBACKS])]
    await writePair(await issueLeaf({ commonName, hosts: apiHosts, usages: ['server'] }, ca, now), {
      cert: files.apiCert,
      key: files.apiKey,
    })
  }
  await writePair(await issueLeaf({ commonName, hosts, uri, usages }, ca, now), files)
  return true
}

/** The processes that have certificates, and the places that shall get some. */
function allPlaces(directory: string, kind: Kind, wanted: readonly Place[]): Place[] {
  const present = namesIn(directory, kind)
    .filter((name) => !wanted.some((place) => place.name === name))
    .map((name) => ({ name, hosts: hostsOf(readCertificates(filesOf(directory, kind, name).cert)[0]!) }))
  return [...wanted, ...present]
}

/** Whether a certificate names all of these hosts. */
function isFor(hosts: readonly string[], certificate: X509Certificate): boolean {
  return hosts.every((host) => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)))
}

function hostsOf(certificate: X509Certificate): string[] {
  return namesOf(certificate).flatMap(({ type, value }) =>
    type === 'DNS' || type === 'IP Address' ? [value] : [],
  )
}

/** Writes the CAs that are trusted, the one that signs first, for all processes and clients of the API. */
async function writeAuthorities(
  directory: string,
  { nodes, connectors }: Places = { nodes: [], connectors: [] },
): Promise<void> {
  const { current, next, old, forClients } = caFiles(directory)
  const all = [current, next, old].flatMap(readCertificates).map(String)
  const bundle = [...new Set(all)].join('')
  const places = [
    ...allPlaces(directory, 'node', nodes).map(({ name }) => filesOf(directory, 'node', name)),
    ...allPlaces(directory, 'connector', connectors).map(({ name }) => filesOf(directory, 'connector', name)),
  ]
  for (const file of [forClients, ...places.map(({ ca }) => ca)]) {
    if (readCertificates(file).map(String).join('') !== bundle) await writePrivate(file, bundle)
  }
}

function everyone(directory: string) {
  return (['node', 'connector'] as const).flatMap((kind) =>
    namesIn(directory, kind).map((name) => ({ name, files: filesOf(directory, kind, name) })),
  )
}

function requireCa(directory: string): void {
  if (hasCa(directory)) return
  throw new CommandFailure(
    `${caFiles(directory).current} is missing, and only the CA can sign certificates: bring it here, ` +
      'or make a new one with "cohort certs init"',
    EXIT.usage,
  )
}

/** A CA that is over is trusted by nobody, and neither is what it signs. */
function requireLiving(directory: string, now: Date): void {
  const expires = readCertificates(caFiles(directory).current)[0]!.validToDate
  if (expires > now) return
  throw new CommandFailure(
    `the CA expired on ${expires.toISOString().slice(0, 10)}, and nobody trusts what it signs: ` +
      'begin anew with "cohort certs init --replace", with the same hosts',
    EXIT.usage,
  )
}

/** Each CA has a name of its own, so that nobody takes an old one for a new one. */
function caNameOf(cluster: string): string {
  return `Cohort CA ${randomBytes(4).toString('hex')} of ${cluster}`
}

/** The name of the cluster: the CA has it in its own name. @throws CommandFailure */
function clusterOf(directory: string): string {
  const file = caFiles(directory).current
  const cluster = /^CN=Cohort CA \w+ of (\S+)$/m.exec(new X509Certificate(readText(file)).subject)?.[1]
  if (cluster === undefined) throw new CommandFailure(`${file} is not a CA that "cohort certs init" has made`)
  return cluster
}

/** The name of the cluster of an earlier CA, if there is one that can be read. */
function nameBefore(directory: string): string | undefined {
  try {
    return hasCa(directory) ? clusterOf(directory) : undefined
  } catch {
    return undefined
  }
}
