/** How far the download of one repository has come. */
export interface DownloadProgress {
  readonly repo: string
  readonly files: number
  readonly filesDone: number
  readonly bytes: number
  /** Bytes of all files whose size is known. */
  readonly totalBytes: number
  /** Bytes that came in this run, which is what the speed is made of: a resumed part came before. */
  readonly received: number
  readonly elapsedMillis: number
}

const size = (bytes: number) =>
  bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(2)} GB`
    : bytes >= 1e6
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e3).toFixed(0)} kB`

const width = 30

/** One line, without a line's end. */
export const downloadBar = (progress: DownloadProgress): string => {
  const { repo, files, filesDone, bytes, totalBytes, received, elapsedMillis } = progress
  const share = totalBytes === 0 ? 0 : Math.min(1, bytes / totalBytes)
  const filled = Math.floor(share * width)
  const speed = elapsedMillis > 0 ? (received / elapsedMillis) * 1000 : 0
  return `${repo} [${"#".repeat(filled)}${".".repeat(width - filled)}] ${Math.floor(share * 100)}%  ${size(bytes)} of ${size(totalBytes)}, ${filesDone}/${files} files, ${size(speed)}/s`
}
