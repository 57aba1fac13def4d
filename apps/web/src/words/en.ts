/** Every sentence of the page in English. */
export const en = {
  title: 'Whylight: what did the network look at?',
  description: 'Explains any ONNX image classifier in your browser, by sixty methods. Nothing is uploaded.',
  tagline: 'What did the network look at?',
  skip: 'Skip to the maps',
  language: 'Language',
  withoutScript:
    'This is a recorded result. With JavaScript, the page explains your own photos and models, on your own machine.',
  recorded: 'Recorded',
  recordedAbout:
    'Recorded with the same network; it is computed anew on your machine as soon as the engine is there.',
  live: 'Computed here',
  engine: {
    loading: 'Loading the engine …',
    loadingModel: 'Loading the network …',
    ready: (device: string) => `Runs in this tab, on ${device}`,
    threads: (count: number) => (count === 1 ? 'one thread' : `${count} threads`),
    private: 'Your photos and models stay on your machine.',
    failed: 'The engine did not start. The recorded result stays.',
    onService: (host: string) => `Computes on the service at ${host}`,
    uploads: (units: number) =>
      `Photos are uploaded to it. ${units.toLocaleString('en')} compute units were left today.`,
  },
  maps: 'Maps',
  verdict: { says: 'The network says', unsure: 'It is not sure.', explained: 'The maps explain' },
  explain: {
    all: 'Explain',
    allAbout: 'Explain by every method whose map is not of this photo, class and network',
    one: 'Explain',
    again: 'Try again',
    stop: 'Stop',
    waiting: 'Waits for its turn',
    computing: 'Computing …',
    stopped: 'Stopped.',
    stale: 'Of another question',
    none: 'Not computed yet',
    runs: (count: number, seconds: number | null) =>
      `${count.toLocaleString('en')} ${count === 1 ? 'run' : 'runs'} of the network${seconds === null ? '' : `, about ${duration(seconds)}`}`,
    took: (seconds: number) => `${duration(seconds)}`,
    on: (device: string) => `on ${device}`,
    cached: 'from the cache of the service',
    error: (delta: string) => `sum off by ${delta}`,
    lost: 'The service cannot be reached. Your job goes on; the page asks again.',
  },
  photo: {
    heading: 'Photo',
    choose: 'Choose a photo',
    hint: 'Or drop one anywhere, or paste one.',
    alt: (name: string) => `The photo ${name}`,
    reading: 'Reading the photo …',
    shrunk: (width: number, height: number) =>
      `The page made it smaller, from ${width} × ${height}: networks look at a few hundred pixels.`,
    gallery: 'Photos to try',
    names: { coffee: 'A cup of coffee', cat: 'A cat', rocket: 'A rocket', astronaut: 'An astronaut' },
    faults: {
      'not-a-photo': (file: string) => `${file} is not a photo. Choose a JPEG, PNG, WebP, GIF or AVIF file.`,
      heic: (file: string) =>
        `This browser cannot read HEIC (${file}). Safari can; or export the photo as JPEG and choose that file.`,
      undecodable: (file: string) =>
        `The browser cannot read ${file}: it is damaged, or of a type that the browser does not know. Choose a JPEG, PNG or WebP file.`,
      unreachable: (file: string) => `${file} cannot be fetched. Check the connection and try again.`,
    },
  },
  classes: {
    heading: 'Classes',
    search: 'Search all classes',
    found: (count: number) => (count === 1 ? 'one class' : `${count} classes`),
    nothing: (text: string) => `No class is called “${text}”.`,
    likeliest: 'The likeliest class',
    explainThis: 'Explain ',
    computing: 'The network looks at the photo …',
  },
  model: {
    heading: 'Network',
    choose: 'Open an ONNX file',
    hint: 'Or drop a folder with the model, its class names and preprocessor_config.json.',
    own: 'Back to the default network',
    opening: 'Checking the model …',
    facts: (classes: number, works: number, all: number) =>
      `${classes.toLocaleString('en')} classes. ${works} of ${all} methods work on it.`,
    ofService: 'Models of the service',
    serviceHint: 'To add one: whylight models push classifier.onnx',
    input: 'How photos become its input',
    from: (source: string) => `from ${source}`,
    notes: 'Notes',
  },
  place: {
    heading: 'Where it is computed',
    tab: 'In this tab.',
    service: 'On the service.',
    about: {
      tab: () => 'Nothing is uploaded.',
      service: (host: string) => `Photos are uploaded to ${host}. Needs a key.`,
    },
    key: 'API key',
    useKey: 'Use it',
    keyAbout: 'It stays in this tab’s memory, and is sent to this service only.',
    checking: 'Asking the service …',
    refused: 'The service does not take this key. Give another one.',
    unreachable: 'The service did not answer. Try again.',
  },
  look: {
    heading: 'Look',
    opacity: 'Strength',
    hidden: 'Hide the weakest',
    backdrop: 'Photo behind',
    backdrops: { original: 'as it is', grayscale: 'grey', mask_black: 'only where it counts' },
    colours: 'Colours',
    ownColours: 'of the method',
    percent: (value: number) => `${value} %`,
  },
  legend: {
    heading: 'What the colours mean',
    bar: 'Colours from the lowest to the highest value',
    value: (value: string) => `Here: ${value}`,
    point:
      'Point at the map to read a value, or move the point by the arrow keys. All maps show the same point.',
    read: (method: string) => `${method}: read values by the arrow keys`,
    alt: (method: string, name: string) => `${method}: where the network looked for ${name}`,
  },
  methods: {
    add: 'More methods',
    heading: 'All methods',
    search: 'Search methods',
    close: 'Close',
    remove: (title: string) => `Remove ${title}`,
    shown: 'Shown',
    show: 'Show',
    paper: 'Paper',
    unfit: 'Does not work on this network',
    groups: {
      layer: ['Maps of a layer', 'Which parts of the last feature map count for the class.'],
      gradient: ['Values of pixels', 'Follow the score back to each pixel.'],
      perturbation: [
        'Hide parts of the photo',
        'Look at how the score changes. They need no gradient, and much time.',
      ],
      attention: ['Attention', 'For transformers only.'],
    },
    cost: (runs: number) => (runs === 1 ? 'one run' : `${runs.toLocaleString('en')} runs`),
  },
  quality: {
    heading: 'Is it any good?',
    test: 'Test it: 60 runs of the network',
    testing: 'Testing the map …',
    stop: 'Stop',
    lines: 'line: by the map; dashed: by the map in shuffled places',
    deletion: 'Score while pixels are deleted',
    insertion: 'Score while pixels are inserted',
    deleted: (whole: string, map: string, chance: string) =>
      `From ${whole}: without the fifth that the map values most it is ${map}; with the same map in shuffled places, ${chance}. A map that shows what counts falls sooner.`,
    inserted: (map: string, chance: string) =>
      `With nothing but the fifth that the map values most it is ${map}; with the same map in shuffled places, ${chance}. A map that shows what counts rises sooner.`,
    curvesProve:
      'This does not prove that the map is right: a photo with holes is none that the network has learned from, and one photo is one photo.',
    completeness: (delta: string) =>
      `The values add up to the score less that of the baseline, up to ${delta}. That shows exact arithmetic, and not that single pixels are right.`,
    agreement: 'Agreement with the other maps (1: the same order of places, 0: none):',
    agreementProves:
      'Methods that agree can be wrong together: many of them look at the network in the same way.',
  },
  take: {
    heading: 'Take away',
    png: 'Picture (PNG)',
    npy: 'Numbers (.npy)',
    json: 'Result (JSON)',
    onnx: 'Explainer (.onnx)',
    working: 'Writing the file …',
    same: 'The same elsewhere',
    copy: 'Copy',
    copied: 'Copied',
    snippets: { cli: 'Command line', curl: 'curl', python: 'Python', typescript: 'TypeScript' },
  },
  footer: 'A map shows what the network used. It does not show that the network is right.',
};

export type Words = typeof en;

function duration(seconds: number): string {
  if (seconds < 1) return `${Math.max(Math.round(seconds * 1000), 1)} ms`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return `${Math.round(seconds / 60)} min`;
}
