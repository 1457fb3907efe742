/** Common names of many countries: those of nobody in particular. */
export const firstNames =
  'Ada Aiko Alba Amir Ana Anders Anna Ari Bao Beatriz Boris Carla Chen Chloe Clara Daniel David Diego Elena Elif Emil Emma Eric Fatima Felix Finn Freya Gita Grace Hana Hans Hugo Ida Ilya Ines Ivan Jack Jana Joao Jonas Julia Kai Karim Kofi Lars Laura Lea Leo Lina Lucas Lucia Maja Marco Maria Mateo Maya Mei Mila Mina Nadia Nina Noah Nora Olga Oliver Omar Oscar Paul Petra Pia Priya Rafael Ravi Rita Rosa Ruth Samuel Sara Simon Sofia Stefan Sven Tara Thea Theo Tomas Ugo Uma Vera Victor Wanda Wei Yara Yusuf Zara Zoe'.split(
    ' ',
  )

export const lastNames =
  'Abe Adams Ali Andersen Bauer Becker Berg Bianchi Blanc Brown Castro Chen Clark Cohen Costa Cruz Dahl Davies Diaz Dubois Eriksen Evans Fischer Fontana Garcia Greco Haas Hall Hansen Hughes Ito Ivanov Jansen Johnson Jones Kaya Keller Khan Kim Klein Kowalski Kumar Lang Larsen Lee Lopez Lund Maier Martin Mensah Meyer Moreau Moreno Murphy Nagy Nguyen Nilsson Novak Okafor Olsen Ortiz Park Patel Pereira Petrov Quinn Ramos Reyes Ricci Rossi Roy Russo Santos Sato Schmidt Silva Singh Smith Sousa Suzuki Tanaka Taylor Torres Turner Ueda Vargas Virtanen Vogel Wagner Walker Wang Weber Wolf Wong Wright Yamada Yilmaz Young Zhang Ziegler'.split(
    ' ',
  )
