/** A node cannot be reached, because its certificate was refused. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'

  constructor(address: string, cause: Error & Readonly<{ details: string }>) {
    const [, reason = cause.details] = REFUSAL.exec(cause.details) ?? []
    super(`the node at ${address} was refused: ${reason}`, { cause })
  }
}

/** Whether an error of gRPC comes from a certificate. It tells why it has no connection only in its text. */
export function isAboutCertificate({ details }: Readonly<{ details: string }>): boolean {
  return REFUSAL.test(details)
}

const REFUSAL = /Last error: (?:Error: )?(.*?certificate.*?)\.?(?: Resolution note:.*)?$/
