import type { DownloadProgress } from "./progress.ts"

/** Where models come from and where they are kept. */
export interface HubSettings {
  /** Folder of the cache. */
  readonly cache: string
  /** Without a slash at its end. */
  readonly endpoint: string
  readonly token: string | undefined
  /** Take what the cache has and ask nobody. */
  readonly offline: boolean
  /** How long a server may say nothing. */
  readonly timeoutMillis: number
  /** Attempts after the first to fetch a file, each from where the last one stopped. */
  readonly retries: number
  /** `true`: a bar on stderr, where that is a terminal. A function hears of it instead. */
  readonly progress: boolean | ((progress: DownloadProgress) => void)
}

/** The settings, and the file that holds the token when the environment does not. */
export interface FoundSettings extends HubSettings {
  readonly tokenPath: string | undefined
}

/** Variables of `huggingface_hub` that we heed. */
export const hubVariables = [
  "HF_HOME",
  "XDG_CACHE_HOME",
  "HF_HUB_CACHE",
  "HUGGINGFACE_HUB_CACHE",
  "HF_ENDPOINT",
  "HF_TOKEN",
  "HUGGING_FACE_HUB_TOKEN",
  "HF_TOKEN_PATH",
  "HF_HUB_DISABLE_IMPLICIT_TOKEN",
  "HF_HUB_OFFLINE",
  "TRANSFORMERS_OFFLINE",
  "HF_HUB_DOWNLOAD_TIMEOUT",
  "HF_HUB_DISABLE_PROGRESS_BARS"
] as const
export type HubVariable = (typeof hubVariables)[number]

const isOn = (text: string | undefined) => ["1", "ON", "YES", "TRUE"].includes((text ?? "").toUpperCase())

const defaultTimeoutMillis = 10_000

/** What the variables say, as `huggingface_hub` reads them; with none set, its defaults. `home` is the user's folder. */
export const hubSettings = (variable: (name: HubVariable) => string | undefined, home: string): FoundSettings => {
  /** A variable that is empty is not set. */
  const given = (...names: ReadonlyArray<HubVariable>) =>
    names.map((name) => variable(name)?.trim()).find((text) => text !== undefined && text !== "")
  const folder = (text: string) => text.replace(/^~(?=\/|$)/, home).replace(/(?<=.)\/+$/, "")
  const hfHome = folder(given("HF_HOME") ?? `${given("XDG_CACHE_HOME") ?? "~/.cache"}/huggingface`)
  const seconds = Number(given("HF_HUB_DOWNLOAD_TIMEOUT"))
  return {
    cache: folder(given("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? `${hfHome}/hub`),
    endpoint: (given("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, ""),
    token: given("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
    tokenPath: isOn(given("HF_HUB_DISABLE_IMPLICIT_TOKEN"))
      ? undefined
      : folder(given("HF_TOKEN_PATH") ?? `${hfHome}/token`),
    offline: isOn(given("HF_HUB_OFFLINE")) || isOn(given("TRANSFORMERS_OFFLINE")),
    timeoutMillis: seconds > 0 ? seconds * 1000 : defaultTimeoutMillis,
    retries: 5,
    progress: !isOn(given("HF_HUB_DISABLE_PROGRESS_BARS"))
  }
}
