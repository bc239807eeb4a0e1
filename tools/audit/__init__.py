"""The built book under other people's eyes: axe-core, Lighthouse, Firefox, paper."""
